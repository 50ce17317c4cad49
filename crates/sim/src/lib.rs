//! The demo city: broker, shadow service and devices.
