//! What windows want with the areas that rules name.

use fleetlens_ipc::maps::{AreaAsk, AreaBook, AreaDone, AreaDraft, AreaRow};
use fleetlens_ipc::{Fault, FaultCode};

use super::groups::{KEEPING, check_still};
use super::profiles::on_the_side;
use super::rules::Used;
use super::{Begun, Host, ended, who};
use crate::areas::{drawn, naming, refusal, with_area, without_area};
use crate::profile::Profile;

impl Host {
    /// Does what a window wants with areas. One that is kept or taken away makes its profile begin anew: rules speak of it.
    pub(super) async fn areas(&self, ask: AreaAsk) -> Result<(AreaDone, Begun), Fault> {
        match ask {
            AreaAsk::Read => Ok((AreaDone::Book(Box::new(self.area_book().await?)), Begun::NotAnew)),
            AreaAsk::Keep(draft) => {
                let told = match &draft.replaces {
                    None => format!("area drawn: {}", draft.name.trim()),
                    Some(before) => format!("area changed: {before}"),
                };
                self.change_areas(told, move |used, profile| keep(used, profile, &draft)).await
            }
            AreaAsk::Remove { name } => {
                let told = format!("area taken away: {name}");
                let change = move |used: &Used, profile: &Profile| match refusal(&profile.rules, &name, "take it away")
                {
                    Some(why) => Err(why),
                    None => without_area(&used.text, &name),
                };
                self.change_areas(told, change).await
            }
        }
    }

    async fn change_areas(
        &self,
        told: String,
        change: impl FnOnce(&Used, &Profile) -> Result<String, String> + Send + 'static,
    ) -> Result<(AreaDone, Begun), Fault> {
        let _keeping = KEEPING.lock().await;
        let used = self.used_profile().await?;
        let invalid = |why: String| Fault::new(FaultCode::Invalid, why);
        if let Some(why) = used.locked() {
            return Err(invalid(why));
        }
        let (name, named) = (used.name.clone(), self.options.profile.clone());
        let after = on_the_side(move || {
            let profile = Profile::parse_in(&used.folder(), &used.text, "the profile");
            let profile = profile.map_err(|error| invalid(error.to_string()))?;
            let after = change(&used, &profile).map_err(invalid)?;
            let right = Profile::parse_in(&used.folder(), &after, "the profile");
            right.map_err(|error| invalid(error.to_string()))?;
            check_still(&used.home, &used.name, &used.text, named.as_deref())?;
            used.home.keep_before(&used.name, named.as_deref()).map_err(invalid)?;
            Ok::<_, Fault>(after)
        });
        let after = after.await??;
        let (_, begun) = self.save_profile(Some(name), after, None, false, Some(told)).await?;
        Ok((AreaDone::Kept, begun))
    }

    async fn area_book(&self) -> Result<AreaBook, Fault> {
        let (areas, rules) = {
            let home = self.home.lock().await;
            let run = self.run.read().await;
            let run = run.as_ref().ok_or_else(ended)?;
            let who = who(&home, &run.profile);
            if !who.role.sees_everything() {
                let message = format!("{}s of this profile do not see its areas", who.role.label());
                return Err(Fault::new(FaultCode::Forbidden, message));
            }
            (run.profile.areas.clone(), run.profile.rules.clone())
        };
        // Whoever may change nothing sees them all the same.
        let (here, locked) = match self.used_profile().await {
            Ok(used) => on_the_side(move || (drawn(&used.text), used.locked())).await?,
            Err(fault) => (Vec::new(), Some(fault.message)),
        };
        let row = |area: fleetlens_model::alarm::fence::Area| AreaRow {
            drawn: here.contains(&area.name),
            rules: naming(&rules, &area.name),
            shape: area.fence.shape().clone(),
            margin_m: area.fence.margin_m(),
            name: area.name,
        };
        Ok(AreaBook { areas: areas.into_iter().map(row).collect(), locked })
    }
}

/// The text with the area, unless a rule would lose it by its name.
fn keep(used: &Used, profile: &Profile, draft: &AreaDraft) -> Result<String, String> {
    let renamed = draft.replaces.as_deref().filter(|before| *before != draft.name.trim());
    match renamed.and_then(|before| refusal(&profile.rules, before, "give it another name")) {
        Some(why) => Err(why),
        None => with_area(&used.text, draft),
    }
}
