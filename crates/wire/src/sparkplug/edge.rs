//! The other side: an edge node that writes its births, data and deaths, and reads what it is told. For whatever plays a fleet.

use fleetlens_model::time::WallMs;

use super::birth::{BD_SEQ, NODE_CONTROL};
use super::topic::{Verb, written};
use super::{Datatype, payload};
use crate::WireError;
use crate::convention::Outgoing;

pub use super::payload::{Carried, Metric, Property, PropertyCarried, PropertySet};

/// An edge node in one connection: what it publishes, in order.
#[derive(Clone, Debug)]
pub struct EdgeNode {
    group: String,
    node: String,
    bd_seq: u8,
    next_seq: u8,
}

impl EdgeNode {
    /// The node `group/node` in its connection number `bd_seq`, before its birth. Names are not checked.
    pub fn new(group: &str, node: &str, bd_seq: u8) -> EdgeNode {
        EdgeNode { group: group.to_owned(), node: node.to_owned(), bd_seq, next_seq: 0 }
    }

    /// The NDEATH that it leaves with the broker as its last will.
    pub fn death(&self, at: WallMs) -> Outgoing {
        self.message(Verb::NodeDeath, None, payload::encode(&[self.bd_seq(at)], at, None))
    }

    /// The NBIRTH, with the metrics that every node has before its own. The sequence begins anew.
    pub fn birth(&mut self, metrics: &[Metric], at: WallMs) -> Outgoing {
        self.next_seq = 0;
        let rebirth = Metric::new(&format!("{NODE_CONTROL}Rebirth"), Datatype::Boolean, Carried::Boolean(false)).at(at);
        let all: Vec<Metric> = [self.bd_seq(at), rebirth].into_iter().chain(metrics.iter().cloned()).collect();
        self.next(Verb::NodeBirth, None, &all, at)
    }

    /// An NDATA.
    pub fn data(&mut self, metrics: &[Metric], at: WallMs) -> Outgoing {
        self.next(Verb::NodeData, None, metrics, at)
    }

    /// A DBIRTH.
    pub fn device_birth(&mut self, device: &str, metrics: &[Metric], at: WallMs) -> Outgoing {
        self.next(Verb::DeviceBirth, Some(device), metrics, at)
    }

    /// A DDATA.
    pub fn device_data(&mut self, device: &str, metrics: &[Metric], at: WallMs) -> Outgoing {
        self.next(Verb::DeviceData, Some(device), metrics, at)
    }

    /// A DDEATH.
    pub fn device_death(&mut self, device: &str, at: WallMs) -> Outgoing {
        self.next(Verb::DeviceDeath, Some(device), &[], at)
    }

    /// What it subscribes to: commands to itself and to its devices.
    pub fn filters(&self) -> [String; 2] {
        [Verb::NodeCommand, Verb::DeviceCommand].map(|verb| {
            let device = (verb == Verb::DeviceCommand).then_some("+");
            written(&self.group, verb, &self.node, device)
        })
    }

    /// A message with the next sequence number, which begins again after 255.
    fn next(&mut self, verb: Verb, device: Option<&str>, metrics: &[Metric], at: WallMs) -> Outgoing {
        let seq = self.next_seq;
        self.next_seq = seq.wrapping_add(1);
        self.message(verb, device, payload::encode(metrics, at, Some(seq)))
    }

    fn message(&self, verb: Verb, device: Option<&str>, payload: Vec<u8>) -> Outgoing {
        Outgoing { topic: written(&self.group, verb, &self.node, device), payload }
    }

    fn bd_seq(&self, at: WallMs) -> Metric {
        Metric::new(BD_SEQ, Datatype::Int64, Carried::Long(self.bd_seq.into())).at(at)
    }
}

impl Metric {
    /// A metric by name with its type and value, as births have it.
    pub fn new(name: &str, datatype: Datatype, value: Carried) -> Metric {
        Metric {
            name: Some(name.to_owned()),
            datatype: Some(datatype.number()),
            value: Some(value),
            ..Metric::default()
        }
    }

    /// A metric by alias with its value only, as data has it.
    pub fn by_alias(alias: u64, value: Carried) -> Metric {
        Metric { alias: Some(alias), value: Some(value), ..Metric::default() }
    }

    /// This with an alias.
    pub fn aliased(self, alias: u64) -> Metric {
        Metric { alias: Some(alias), ..self }
    }

    /// This captured at a time.
    pub fn at(self, at: WallMs) -> Metric {
        Metric { timestamp: Some(payload::written(at)), ..self }
    }

    /// This with one property more.
    pub fn with(mut self, key: &str, datatype: Datatype, value: PropertyCarried) -> Metric {
        let set = self.properties.get_or_insert_default();
        set.keys.push(key.to_owned());
        set.values.push(Property { datatype: Some(datatype.number()), is_null: None, value: Some(value) });
        self
    }
}

/// The metrics of an NCMD or DCMD that reached the node, by alias where they have one.
pub fn commands(payload: &[u8]) -> Result<Vec<Metric>, WireError> {
    payload::decode(payload).map(|payload| payload.metrics)
}
