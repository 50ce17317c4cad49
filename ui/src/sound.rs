//! The sound of alarms: a pattern for each priority, told apart by its rhythm and not only by its pitch, made by the browser without any
//! file. It sounds when people are told of an alarm; while a critical one is so and nobody has acknowledged it, it is repeated. Silence is
//! no acknowledgement, and lasts until people are told of the next critical one: then it is repeated for as long as any waits.
//!
//! What sounds when ([`Ear`]) is pure. A browser lets nothing sound before somebody has clicked or pressed a key in the page; that is said
//! while it is so ([`Sound::blocked`]).
//!
//! Of several windows one sounds ([`Turn`]), and what is silenced in one is silent in all.

use fleetlens_model::alarm::Priority;
use js_sys::{Function, Promise, Reflect};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AudioContext, AudioContextState, OscillatorType};

use crate::clock::mono_ms;
use crate::lang::term;
use crate::state::Store;
use crate::views::parking::is_driver;

const KEY: &str = "fleetlens.sound";

/// The lock of the window that sounds, and where windows tell each other of a silence.
const LOCK: &str = "fleetlens-sound";
const SILENCE_KEY: &str = "fleetlens.silence";

/// How long what was to sound waits for this window's turn, in milliseconds: longer than an unused lock takes, and no alarm of before.
const TURN_MS: f64 = 1_000.0;

/// How long after it sounded a critical alarm that nobody has acknowledged sounds again, in milliseconds.
const REPEAT_MS: f64 = 20_000.0;

/// How often it is looked whether it is time to, in milliseconds.
const LOOK_MS: u64 = 1_000;

/// How long a tone takes to come and to go, in seconds: a hard edge is heard as a click.
const EDGE_S: f64 = 0.015;

/// A tone of a pattern: when it begins and how long it is, in seconds, and its pitch, in hertz.
type Tone = (f64, f64, f32);

/// The tones of a priority.
fn pattern(priority: Priority) -> &'static [Tone] {
    match priority {
        Priority::Advisory => &[(0.0, 0.22, 440.0)],
        Priority::Warning => &[(0.0, 0.16, 587.0), (0.26, 0.16, 587.0)],
        Priority::Critical => &[
            (0.0, 0.14, 880.0),
            (0.18, 0.14, 659.0),
            (0.44, 0.14, 880.0),
            (0.62, 0.14, 659.0),
            (0.88, 0.14, 880.0),
            (1.06, 0.14, 659.0),
        ],
    }
}

/// How loud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volume {
    /// Nothing sounds.
    Off,
    /// For a quiet room.
    Low,
    /// For most.
    Middle,
    /// For a loud one.
    Loud,
}

impl Volume {
    /// Every one, the lowest first.
    pub const ALL: [Volume; 4] = [Volume::Off, Volume::Low, Volume::Middle, Volume::Loud];

    /// The word in the storage and, as the language has it, on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Volume::Off => term("Off"),
            Volume::Low => term("Low"),
            Volume::Middle => term("Middle"),
            Volume::Loud => term("Loud"),
        }
    }

    /// Of the loudest there is.
    fn gain(self) -> f32 {
        match self {
            Volume::Off => 0.0,
            Volume::Low => 0.08,
            Volume::Middle => 0.22,
            Volume::Loud => 0.6,
        }
    }
}

/// What sounds when. Pure.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ear {
    /// How often people were told, by priority, the lowest first; `None` before anything is known.
    told: Option<Vec<u32>>,
    /// When a critical alarm sounds again, unless all are acknowledged or over, or somebody wants silence.
    next_ms: Option<f64>,
}

impl Ear {
    /// So often people were told by now, and so many critical alarms are so and not acknowledged. Of several at once the worst sounds.
    fn hear(&mut self, told: &[u32], critical: u32, now_ms: f64) -> Option<Priority> {
        if critical == 0 {
            self.next_ms = None;
        }
        // Another program counts from the start.
        let is_same =
            |before: &Vec<u32>| before.len() == told.len() && before.iter().zip(told).all(|(old, new)| old <= new);
        let Some(before) = self.told.replace(told.to_vec()).filter(is_same) else {
            // Whoever comes to a screen hears in a while what waits there, and not the moment it is on.
            self.next_ms = self.next_ms.or((critical != 0).then_some(now_ms + REPEAT_MS));
            return None;
        };
        let rose = Priority::FROM_LOWEST.into_iter().zip(before.iter().zip(told));
        let worst = rose.filter(|(_, (before, now))| now > before).map(|(priority, _)| priority).next_back()?;
        if worst == Priority::Critical && critical != 0 {
            self.next_ms = Some(now_ms + REPEAT_MS);
        }
        Some(worst)
    }

    /// Whether it is time to sound again.
    fn is_due(&mut self, now_ms: f64) -> bool {
        let is_due = self.next_ms.is_some_and(|next_ms| now_ms >= next_ms);
        if is_due {
            self.next_ms = Some(now_ms + REPEAT_MS);
        }
        is_due
    }
}

/// Whether this window is the one that sounds. It holds a lock of the browser for as long as it can sound; the next that can has it then.
#[derive(Clone)]
enum Turn {
    /// It has not asked, or gave it back.
    None,
    /// Another one sounds.
    Waits,
    /// It sounds. Calling this gives the turn back; `None` where there are no such locks, and each window sounds.
    Has(Option<Function>),
}

/// The sound of the window. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Sound {
    volume: RwSignal<Volume>,
    /// Whether a critical alarm goes on sounding.
    ringing: RwSignal<bool>,
    blocked: RwSignal<bool>,
    /// What sounded last, and how often anything did.
    last: RwSignal<(Option<Priority>, u32)>,
    ear: StoredValue<Ear>,
    context: StoredValue<Option<AudioContext>, LocalStorage>,
    turn: StoredValue<Turn, LocalStorage>,
}

impl Sound {
    /// Listens to what people are told from now on.
    pub fn start(store: Store) -> Sound {
        let sound = Sound {
            volume: RwSignal::new(kept().unwrap_or(Volume::Middle)),
            ringing: RwSignal::new(false),
            blocked: RwSignal::new(false),
            last: RwSignal::new((None, 0)),
            ear: StoredValue::new(Ear::default()),
            context: StoredValue::new_local(None),
            turn: StoredValue::new_local(Turn::None),
        };
        let driver = is_driver(store);
        Effect::new(move |before: Option<u32>| {
            let begun = store.begun.get();
            if before.is_some_and(|before| before != begun) {
                sound.ear.set_value(Ear::default());
                sound.follow();
            }
            begun
        });
        Effect::new(move |was_past: Option<bool>| {
            let is_past = store.replay.is_past();
            let told = store
                .status
                .with(|status| status.as_ref().map(|status| (status.row.told.clone(), status.row.alarms.critical)));
            // Just after the past its last counts are there still: by those the present would be news.
            if driver.get() || is_past || was_past == Some(true) {
                // What was told in the past is heard by nobody. Whoever watched before has handed over: what still waits is not the driver's, who has no means to end it.
                sound.ear.set_value(Ear::default());
                sound.give_turn_back();
                sound.follow();
                return is_past;
            }
            let Some((told, critical)) = told else { return is_past };
            let worst = sound.ear.try_update_value(|ear| ear.hear(&told, critical, mono_ms())).flatten();
            sound.follow();
            if let Some(worst) = worst {
                sound.ring(worst);
            }
            is_past
        });
        let again = move || {
            if sound.ear.try_update_value(|ear| ear.is_due(mono_ms())) == Some(true) {
                sound.ring(Priority::Critical);
            }
        };
        // Fails only outside of a page.
        let _ = set_interval_with_handle(again, std::time::Duration::from_millis(LOOK_MS));
        // Whoever clicks or presses a key lets it sound from then on.
        let pressed = window_event_listener(ev::pointerdown, move |_| sound.wake());
        let typed = window_event_listener(ev::keydown, move |_| sound.wake());
        // Told by the other windows of this page.
        let stored = window_event_listener(ev::storage, move |event| match event.key().as_deref() {
            Some(SILENCE_KEY) => sound.be_silent(),
            Some(KEY) => sound.take_volume(kept().unwrap_or(Volume::Middle)),
            _ => {}
        });
        on_cleanup(move || {
            pressed.remove();
            typed.remove();
            stored.remove();
        });
        sound
    }

    /// How loud; tracked.
    pub fn volume(self) -> Volume {
        self.volume.get()
    }

    /// As loud from now on, also after a restart.
    pub fn choose(self, volume: Volume) {
        if let Ok(Some(storage)) = window().local_storage() {
            // A full or forbidden storage only costs the choice at the next start.
            let _ = storage.set_item(KEY, volume.word());
        }
        self.take_volume(volume);
    }

    fn take_volume(self, volume: Volume) {
        if volume == Volume::Off {
            self.give_turn_back();
        }
        self.volume.set(volume);
    }

    /// Whether a critical alarm goes on sounding; tracked.
    pub fn is_ringing(self) -> bool {
        self.ringing.get() && self.volume.get() != Volume::Off
    }

    /// Whether something was to sound and the browser did not let it; tracked.
    pub fn is_blocked(self) -> bool {
        self.blocked.get() && self.volume.get() != Volume::Off
    }

    /// What sounded last, as a word, and how often anything did; tracked.
    pub fn last(self) -> (&'static str, u32) {
        let (priority, times) = self.last.get();
        (priority.map_or("nothing", Priority::label), times)
    }

    /// No repetition until the next critical alarm, in no window. Nothing is acknowledged by it.
    pub fn silence(self) {
        self.be_silent();
        if let Ok(Some(storage)) = window().local_storage() {
            // Others are told of what changes; where they are not, they are silenced by themselves.
            let _ = storage.set_item(SILENCE_KEY, &js_sys::Date::now().to_string());
        }
    }

    fn be_silent(self) {
        self.ear.update_value(|ear| ear.next_ms = None);
        self.follow();
    }

    /// Sounds as an alarm of a priority does, whoever's turn it is.
    pub fn play(self, priority: Priority) {
        if let Some(context) = self.ready() {
            self.play_in(&context, priority);
        }
    }

    /// Sounds if it is this window's turn, or becomes so in a moment.
    fn ring(self, priority: Priority) {
        let Some(context) = self.ready() else { return self.give_turn_back() };
        match self.turn.get_value() {
            Turn::Has(_) => self.play_in(&context, priority),
            Turn::Waits => {}
            Turn::None => self.ask_for_turn(context, priority),
        }
    }

    fn ask_for_turn(self, context: AudioContext, priority: Priority) {
        let until_ms = mono_ms() + TURN_MS;
        self.turn.set_value(Turn::Waits);
        let has = move |back: Option<Function>| {
            self.turn.try_set_value(Turn::Has(back));
            if mono_ms() <= until_ms {
                self.play_in(&context, priority);
            }
        };
        let alone = has.clone();
        let asked = request_lock(move |back| has(Some(back)));
        spawn_local(async move {
            let is_refused = match asked {
                Some(asked) => JsFuture::from(asked).await.is_err(),
                None => true,
            };
            if is_refused {
                alone(None);
            }
        });
    }

    /// Another window sounds from now on, if one can.
    fn give_turn_back(self) {
        if let Turn::Has(Some(back)) = self.turn.get_value() {
            self.turn.set_value(Turn::None);
            // What is called resolves a promise.
            let _ = back.call0(&JsValue::NULL);
        }
    }

    /// What it can sound with now; says where the browser lets nothing sound.
    fn ready(self) -> Option<AudioContext> {
        if self.volume.get_untracked() == Volume::Off {
            return None;
        }
        let context = self.context()?;
        if context.state() != AudioContextState::Running {
            // Fails where nothing may sound; the state says so.
            let _ = context.resume();
            self.blocked.set(true);
            return None;
        }
        self.blocked.set(false);
        Some(context)
    }

    fn play_in(self, context: &AudioContext, priority: Priority) {
        if sound(context, priority, self.volume.get_untracked()).is_ok() {
            self.last.update(|(last, times)| (*last, *times) = (Some(priority), *times + 1));
        }
    }

    fn follow(self) {
        let is_ringing = self.ear.with_value(|ear| ear.next_ms.is_some());
        if self.ringing.get_untracked() != is_ringing {
            self.ringing.set(is_ringing);
        }
    }

    fn wake(self) {
        if self.volume.get_untracked() == Volume::Off {
            return;
        }
        if let Some(context) = self.context().filter(|context| context.state() == AudioContextState::Suspended) {
            // Fails where nothing may sound; the state says so.
            let _ = context.resume();
        }
    }

    /// What sounds are made with; `None` where there is nothing to make them with, as without a sound card in some browsers.
    fn context(self) -> Option<AudioContext> {
        let known = self.context.with_value(Clone::clone);
        known.or_else(|| {
            let made = AudioContext::new().ok()?;
            let of = made.clone();
            let changed = Closure::<dyn Fn()>::new(move || {
                if of.state() == AudioContextState::Running {
                    self.blocked.try_set(false);
                }
            });
            made.set_onstatechange(Some(changed.into_js_value().unchecked_ref()));
            self.context.set_value(Some(made.clone()));
            Some(made)
        })
    }
}

/// The sound of the window.
pub fn sounds() -> Sound {
    expect_context()
}

fn kept() -> Option<Volume> {
    let word = window().local_storage().ok().flatten()?.get_item(KEY).ok().flatten()?;
    Volume::ALL.into_iter().find(|volume| volume.word() == word)
}

/// Asks for the lock of the window that sounds; `has` is told how it is given back, once this window has it. Fails where the browser gives
/// none; `None` where it knows of none. web-sys counts locks among what may still change, so they are called by their names.
fn request_lock(has: impl FnOnce(Function) + 'static) -> Option<Promise> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
    let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
    let held = Closure::once_into_js(move || {
        let mut has = Some(has);
        // It is held until this promise is kept, or the page is gone.
        Promise::new(&mut |keep, _| {
            if let Some(has) = has.take() {
                has(keep);
            }
        })
    });
    request.call2(&locks, &LOCK.into(), &held).ok()?.dyn_into().ok()
}

/// Plays a pattern from now on.
fn sound(context: &AudioContext, priority: Priority, volume: Volume) -> Result<(), JsValue> {
    let now_s = context.current_time();
    for (begins_s, lasts_s, pitch_hz) in pattern(priority) {
        let (tone, gain) = (context.create_oscillator()?, context.create_gain()?);
        tone.set_type(OscillatorType::Triangle);
        tone.frequency().set_value(*pitch_hz);
        let (from_s, to_s) = (now_s + begins_s, now_s + begins_s + lasts_s);
        let level = gain.gain();
        level.set_value_at_time(0.0, from_s)?;
        level.linear_ramp_to_value_at_time(volume.gain(), from_s + EDGE_S)?;
        level.set_value_at_time(volume.gain(), to_s - EDGE_S)?;
        level.linear_ramp_to_value_at_time(0.0, to_s)?;
        tone.connect_with_audio_node(&gain)?;
        gain.connect_with_audio_node(&context.destination())?;
        tone.start_with_when(from_s)?;
        tone.stop_with_when(to_s)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// So many told, of the lowest priority and of the worst.
    fn told(lowest: u32, critical: u32) -> Vec<u32> {
        let mut told = vec![0; Priority::FROM_LOWEST.len()];
        (told[0], told[Priority::FROM_LOWEST.len() - 1]) = (lowest, critical);
        told
    }

    #[test]
    fn what_people_are_told_of_sounds_and_what_stood_there_does_not() {
        let mut ear = Ear::default();
        let lowest = Priority::FROM_LOWEST[0];
        for (name, told, critical, want) in [
            ("what stood there when one came", told(7, 3), 2, None),
            ("nothing new", told(7, 3), 2, None),
            ("a low one", told(8, 3), 2, Some(lowest)),
            ("several at once: the worst", told(10, 4), 3, Some(Priority::Critical)),
            ("the program began again", told(0, 0), 0, None),
            ("and goes on", told(1, 0), 0, Some(lowest)),
        ] {
            assert_eq!(ear.hear(&told, critical, 0.0), want, "{name}");
        }
    }

    #[test]
    fn a_critical_one_sounds_again_until_somebody_has_seen_it_or_wants_silence() {
        let mut ear = Ear::default();
        ear.hear(&told(0, 0), 0, 0.0);
        ear.hear(&told(0, 1), 1, 1_000.0);
        assert!(!ear.is_due(20_999.0) && ear.is_due(21_000.0) && !ear.is_due(21_001.0) && ear.is_due(41_000.0));
        ear.next_ms = None;
        assert!(!ear.is_due(90_000.0), "silenced");
        ear.hear(&told(1, 1), 1, 91_000.0);
        assert_eq!(ear.next_ms, None, "a lower one is no reason to ring again");
        ear.hear(&told(1, 2), 2, 92_000.0);
        assert!(ear.is_due(112_000.0), "the next critical one ends the silence");
        ear.hear(&told(1, 2), 0, 113_000.0);
        assert!(!ear.is_due(500_000.0), "all are seen");
    }

    #[test]
    fn who_comes_to_a_screen_hears_what_waits_there() {
        let mut ear = Ear::default();
        assert_eq!(ear.hear(&told(7, 3), 2, 1_000.0), None, "not at once");
        assert!(!ear.is_due(20_999.0) && ear.is_due(21_000.0));
        ear.next_ms = None;
        ear.hear(&told(7, 3), 2, 30_000.0);
        assert_eq!(ear.next_ms, None, "silenced, and nothing new");
        ear.hear(&told(0, 0), 1, 40_000.0);
        assert!(ear.is_due(60_000.0), "the program began again and one waits");
        let mut ear = Ear::default();
        ear.hear(&told(7, 3), 0, 0.0);
        assert_eq!(ear.next_ms, None, "none waits");
        ear.hear(&told(7, 4), 1, 1_000.0);
        ear.next_ms = None;
        ear.hear(&told(7, 5), 2, 2_000.0);
        ear.hear(&told(7, 5), 1, 3_000.0);
        assert!(ear.is_due(22_000.0), "the next one ended the silence, and the first still waits");
    }

    #[test]
    fn priorities_are_told_apart_by_their_rhythm() {
        let rhythms: BTreeSet<Vec<u64>> = Priority::FROM_LOWEST
            .into_iter()
            .map(|priority| pattern(priority).iter().map(|(begins_s, _, _)| (begins_s * 1_000.0) as u64).collect())
            .collect();
        assert_eq!(rhythms.len(), Priority::FROM_LOWEST.len());
    }
}
