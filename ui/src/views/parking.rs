//! The driver's window: where is a free space near me that I may use, how sure is that, how old is it. A map with pins and a list below
//! or beside it, nearest first, of the same car parks. Nothing else of the city, no controls, no alarms. Never a number without its age.

mod list;
mod pins;
mod words;

use fleetlens_ipc::rows::ParkingRow;
use fleetlens_model::id::ThingKey;
use fleetlens_model::identity::Role;
use leptos::prelude::*;

use crate::app::ThemeButton;
use crate::form::{Form, form};
use crate::islands::map::Covered;
use crate::lang::said;
use crate::state::cells::Cell;
use crate::state::{Store, store};
use crate::views::here::{Here, HereLine, HereMark};
use crate::views::link::OfflineNotice;
use crate::views::map_view::{Chooses, MapScreen, MapView};
use crate::views::notices::Notices;
use crate::views::settings::sheet::WhoButton;

use list::{ClassSwitch, List};
use pins::Pins;
use words::Class;

/// How many car parks are asked for: enough that a class that few have still fills the list.
const ASKED: u32 = 200;

/// How many the list and the map show, the nearest of the class.
const SHOWN: usize = 30;

/// Where the class is remembered.
const KEY: &str = "fleetlens.class";

/// The car parks of the list, nearest first. Equal while the same ones stand in the same order: what is said of each changes in its
/// own signal.
#[derive(Clone)]
struct Shown(Vec<Cell<ThingKey, ParkingRow>>);

impl PartialEq for Shown {
    fn eq(&self, other: &Shown) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a.key == b.key)
    }
}

/// What map and list share. Copy: a bundle of signals.
#[derive(Clone, Copy)]
struct Lots {
    /// Which spaces somebody needs; remembered.
    class: RwSignal<Class>,
    /// The one whose details are open.
    chosen: RwSignal<Option<ThingKey>>,
    shown: Memo<Shown>,
    /// How many near here say nothing of the class; one that says that it has none is not among them.
    silent: Memo<usize>,
}

impl Lots {
    fn start(store: Store) -> Lots {
        let class = RwSignal::new(remembered());
        let split = move |is_wanted: bool| {
            let cells = store.parking.cells.get();
            let class = class.get();
            cells.into_iter().filter(move |cell| cell.row.with(|row| class.is_offered(&row.row)) == is_wanted)
        };
        Lots {
            class,
            chosen: RwSignal::new(None),
            shown: Memo::new(move |_| Shown(split(true).take(SHOWN).collect())),
            silent: Memo::new(move |_| {
                let class = class.get();
                let is_silent =
                    |cell: &Cell<ThingKey, ParkingRow>| cell.row.with(|row| class.of(&row.row).capacity.is_none());
                split(false).filter(is_silent).count()
            }),
        }
    }

    /// Opens the details of one, or closes them.
    fn choose(self, lot: Option<ThingKey>) {
        self.chosen.set(lot);
    }

    fn set_class(self, class: Class) {
        self.class.set(class);
        if let Ok(Some(storage)) = window().local_storage() {
            // A full or forbidden storage only costs the choice at the next start.
            let _ = storage.set_item(KEY, class.word());
        }
    }
}

fn remembered() -> Class {
    let word = window().local_storage().ok().flatten().and_then(|storage| storage.get_item(KEY).ok().flatten());
    Class::from_word(&word.unwrap_or_default())
}

fn lots() -> Lots {
    expect_context()
}

/// Whether who is at the screen looks for a place to park and for nothing else.
pub fn is_driver(store: Store) -> Memo<bool> {
    Memo::new(move |_| {
        store.status.with(|status| status.as_ref().is_some_and(|status| status.row.who.role == Role::Driver))
    })
}

/// The driver's window, on the phone and on the desktop.
#[component]
pub fn DriverShell() -> impl IntoView {
    let (store, form) = (store(), form());
    let screen = MapScreen::new();
    provide_context(screen);
    let covered = match form {
        Form::Desktop => Covered::default(),
        Form::Phone => Covered { top_px: 0.0, right_px: 0.0, bottom_px: 20.0 },
    };
    let here = Here::start(screen, covered);
    let lots = Lots::start(store);
    provide_context(lots);

    store.close();
    let marks = store.marks();
    marks.borrow_mut().set_plain(true);
    on_cleanup(move || store.marks().borrow_mut().set_plain(false));
    Effect::new(move |_| {
        if let Some(at) = here.at.get() {
            store.look_at_parking(at, ASKED);
        }
    });
    on_cleanup(move || store.look_away_from_parking());
    Effect::new(move |before: Option<()>| {
        store.begun.track();
        if before.is_some() {
            lots.choose(None);
        }
    });
    here.ask();

    view! {
        <div class="driver" data-testid="driver">
            <div class="over" aria-live="polite">
                <OfflineNotice />
                <Notices />
            </div>
            <main class="driver-stage">
                <section class="ground" aria-label=said("Map of car parks")>
                    <MapView chooses=Chooses::Ground>
                        <HereMark here />
                        <Pins />
                    </MapView>
                </section>
                <section class="lots" aria-label=said("Car parks near here")>
                    <div class="lots-head">
                        <span class="grab" />
                        <h1 class="unseen">{said("Where to park")}</h1>
                        <ClassSwitch />
                        <HereLine here />
                    </div>
                    <List />
                    <footer class="about">
                        <p class="none">
                            {move || (!screen.is_unmapped()).then_some(said("Tap the map to look near another place."))}
                        </p>
                        {(form == Form::Phone).then(|| view! { <WhoButton /> })}
                        <ThemeButton />
                    </footer>
                </section>
            </main>
        </div>
    }
}
