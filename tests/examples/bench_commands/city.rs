//! The city's side: a shadow service that takes everything, and lamps that do what they are told when they are told to.

use fleetlens_engine::config::FleetConfig;
use fleetlens_engine::fleet::{Effects, Input, Outward};
use fleetlens_engine::port::{LinkEvent, Publish, Received};
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{ThingKey, ThingName};
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Restored;
use fleetlens_model::shadow::Packed;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use fleetlens_tests::bench::Failure;
use fleetlens_wire::shadow::{Op, ShadowTopic, ShadowTopicKind, client_token_of};

/// How bright every lamp is before anybody asks for something else.
const BEFORE_PCT: u32 = 100;

/// How bright they are to be.
pub const WANTED_PCT: u32 = 40;

/// What a profile of this city would say.
pub fn config(gets_per_s: u32) -> FleetConfig {
    let who = Actor { name: "M. Vella".into(), role: Role::Operator };
    FleetConfig { who, shadows: true, gets_per_s, ..FleetConfig::default() }
}

/// What the cache would give back: lamps and bins with their shadows, the lamps first.
pub fn restored(things: u32, lamps: u32, at: WallMs) -> Result<Restored, Failure> {
    let mut restored = Restored { installation: 0xabc, ..Restored::default() };
    let classic = restored.texts.get("");
    for i in 1..=things {
        // Spread like titles of people: not in the order of the keys.
        let number = i.wrapping_mul(7_919) % things;
        let kind = if i <= lamps { Kind::Lamp } else { Kind::Bin };
        let meta = Meta {
            kind,
            title: format!("{} {number}", kind.singular()),
            at: LonLat::new(14.2 + f64::from(number % 500) / 1000.0, 35.8 + f64::from(number % 300) / 1000.0),
            area: format!("Area {}", number % 9),
            street: format!("Triq {}", number % 40),
            interval_s: 600,
            ..Meta::default()
        };
        let meta = restored.commons.describe(meta, &mut restored.texts);
        restored.things.push((ThingKey(i), ThingName::new(format!("t-{i}"))?, meta));
        let document = Shadow { version: 1, desired_pct: BEFORE_PCT, reported_pct: BEFORE_PCT }.kept(at);
        let document = Packed::from_json(1, &document, &mut restored.texts)?;
        restored.shadows.push((ThingKey(i), classic.clone(), document, at));
    }
    Ok(restored)
}

/// What the service knows of one thing.
#[derive(Clone, Copy, Debug)]
struct Shadow {
    version: u64,
    desired_pct: u32,
    reported_pct: u32,
}

impl Shadow {
    fn state(self) -> String {
        let Shadow { desired_pct, reported_pct, .. } = self;
        format!(
            r#""state":{{"desired":{{"dim_pct":{desired_pct},"on":true,"interval_s":600}},"reported":{{"dim_pct":{reported_pct},"on":true,"interval_s":600,"fw":"2.4.1"}}}}"#
        )
    }

    fn times(at: WallMs) -> String {
        let t = format!(r#"{{"timestamp":{}}}"#, at.as_s());
        format!(
            r#""metadata":{{"desired":{{"dim_pct":{t},"on":{t},"interval_s":{t}}},"reported":{{"dim_pct":{t},"on":{t},"interval_s":{t},"fw":{t}}}}}"#
        )
    }

    fn whole(self, at: WallMs) -> String {
        format!(r#"{},{},"version":{}"#, self.state(), Shadow::times(at), self.version)
    }

    /// As the cache keeps it.
    fn kept(self, at: WallMs) -> String {
        let Shadow { desired_pct, reported_pct, .. } = self;
        let (t, s) = (format!(r#"{{"timestamp":{}}}"#, at.as_s()), at.as_s());
        format!(
            r#"{{"desired":{{"dim_pct":{desired_pct},"interval_s":600,"on":true}},"reported":{{"dim_pct":{reported_pct},"fw":"2.4.1","interval_s":600,"on":true}},"desired_meta":{{"dim_pct":{t},"interval_s":{t},"on":{t}}},"reported_meta":{{"dim_pct":{t},"fw":{t},"interval_s":{t},"on":{t}}},"timestamp_s":{s}}}"#
        )
    }
}

/// Every shadow, by the number of its thing.
pub struct Service {
    shadows: Vec<Shadow>,
}

impl Service {
    pub fn new(things: u32) -> Service {
        let one = Shadow { version: 1, desired_pct: BEFORE_PCT, reported_pct: BEFORE_PCT };
        Service { shadows: vec![one; things as usize + 1] }
    }

    /// What is said to everything that was published.
    pub fn answer(&mut self, effects: &Effects, at: WallMs) -> Result<Vec<Input>, Failure> {
        let mut said = Vec::new();
        for outward in &effects.outward {
            if let Outward::Publish(publish) = outward {
                self.answer_one(publish, at, &mut said)?;
            }
        }
        Ok(said)
    }

    fn answer_one(&mut self, publish: &Publish, at: WallMs, said: &mut Vec<Input>) -> Result<(), Failure> {
        let topic = ShadowTopic::parse(&publish.topic)?;
        let token = client_token_of(&publish.payload).ok_or("a request without a token")?;
        let token = format!(r#","timestamp":{},"clientToken":"{token}""#, at.as_s());
        let shadow = self.shadow(&topic.thing)?;
        if topic.kind == ShadowTopicKind::Request(Op::Get) {
            let payload = format!("{{{}{token}}}", shadow.whole(at));
            said.push(heard(&topic.with_kind(ShadowTopicKind::Accepted(Op::Get)), payload));
            return Ok(());
        }
        let wanted = serde_json::from_slice::<serde_json::Value>(&publish.payload)?;
        let wanted = wanted.pointer("/state/desired/dim_pct").and_then(serde_json::Value::as_u64);
        let wanted = u32::try_from(wanted.ok_or("an update that sets no brightness")?)?;
        let before = *shadow;
        *shadow = Shadow { version: before.version + 1, desired_pct: wanted, ..before };
        let after = *shadow;
        let updated = format!(
            r#"{{"state":{{"desired":{{"dim_pct":{wanted}}}}},"metadata":{{"desired":{{"dim_pct":{{"timestamp":{}}}}}}},"version":{}{token}}}"#,
            at.as_s(),
            after.version
        );
        let documents = format!(r#"{{"previous":{{{}}},"current":{{{}}}{token}}}"#, before.whole(at), after.whole(at));
        said.push(heard(&topic.with_kind(ShadowTopicKind::Accepted(Op::Update)), updated));
        said.push(heard(&topic.with_kind(ShadowTopicKind::Documents), documents));
        Ok(())
    }

    /// The lamp does what its shadow wants, and says so.
    pub fn obeys(&mut self, lamp: u32, at: WallMs) -> Result<Input, Failure> {
        let shadow = self.shadow(&format!("t-{lamp}"))?;
        let before = *shadow;
        *shadow = Shadow { version: before.version + 1, reported_pct: before.desired_pct, ..before };
        let (time, after) = (at.as_s(), *shadow);
        let payload =
            format!(r#"{{"previous":{{{}}},"current":{{{}}},"timestamp":{time}}}"#, before.whole(at), after.whole(at));
        Ok(heard(&ShadowTopic::new(format!("t-{lamp}"), None, ShadowTopicKind::Documents), payload))
    }

    fn shadow(&mut self, thing: &str) -> Result<&mut Shadow, Failure> {
        let number: usize = thing.strip_prefix("t-").unwrap_or_default().parse()?;
        self.shadows.get_mut(number).ok_or_else(|| format!("no thing {thing}").into())
    }
}

fn heard(topic: &ShadowTopic, payload: String) -> Input {
    Input::Link(LinkEvent::Received(Received {
        topic: topic.to_string(),
        payload: payload.into_bytes(),
        retained: false,
        redelivered: false,
        packet_id: 0,
        properties: None,
        delivery: None,
    }))
}
