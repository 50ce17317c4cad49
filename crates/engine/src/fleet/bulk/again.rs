//! What would ask those things again of which a bulk command came to nothing.

use fleetlens_ipc::{Fault, FaultCode};
use fleetlens_model::bulk::{Order, Target};
use fleetlens_model::id::{BulkId, ThingKey};

use super::Fleet;

impl Fleet {
    /// The same wish for exactly the things that failed and are known still, at the same pace. Nothing is asked of any.
    pub(in crate::fleet) fn bulk_again(&self, id: BulkId) -> Result<Order, Fault> {
        let bulk =
            self.bulks.get(id).ok_or_else(|| Fault::new(FaultCode::NotFound, "this bulk command is not known here"))?;
        let failed = bulk.rows().iter().filter(|row| row.progress.outcome().is_failed()).map(|row| row.thing);
        let things: Vec<ThingKey> = failed.filter(|thing| self.things.contains_key(thing)).collect();
        if things.is_empty() {
            return Err(Fault::new(FaultCode::Invalid, "no thing of this bulk command has failed"));
        }
        Ok(Order { target: Target::Things(things), continuous: false, ..bulk.head().order.clone() })
    }
}
