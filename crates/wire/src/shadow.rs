//! Device shadows on MQTT: the reserved topics `$aws/things/…/shadow/…` both ways, and the payloads both sides send.
//!
//! Three parties read this: the app (asks with `encode_*`, reads with [`decode_answer`]), the device (the same, and
//! [`encode_report`]), and the service (reads with [`decode_request`], answers with the functions of [`service`]). What a
//! request *does* is `fleetlens_model::shadow`.

mod answer;
mod request;
pub mod service;
mod topic;

pub use answer::{ANSWER_BYTES, Answer, decode_answer};
pub use request::{client_token_of, decode_request, encode_delete, encode_get, encode_report, encode_update};
pub use topic::{Op, ShadowTopic, ShadowTopicKind, TopicError, answer_filters, request_filters};
