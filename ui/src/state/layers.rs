//! What the map shows besides marks, as a person chose it; kept in words, which a later version may know more of.

use fleetlens_model::kind::Kind;

use crate::lang::said;

/// What of it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    /// Streets, water and names of places.
    pub ground: bool,
    /// Names of things, from close by.
    pub names: bool,
    /// Where vehicles were in the last minutes.
    pub trails: bool,
    /// How full car parks are, as a shade around them.
    pub heat: bool,
    /// The areas that rules name.
    pub areas: bool,
}

impl Default for Layers {
    fn default() -> Layers {
        Layers { ground: true, names: true, trails: true, heat: false, areas: true }
    }
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// See [`Layers::ground`].
    Ground,
    /// See [`Layers::names`].
    Names,
    /// See [`Layers::trails`].
    Trails,
    /// See [`Layers::heat`].
    Heat,
    /// See [`Layers::areas`].
    Areas,
}

impl Layer {
    /// In the order of the screen.
    pub const ALL: [Layer; 5] = [Layer::Names, Layer::Trails, Layer::Areas, Layer::Heat, Layer::Ground];

    /// The word in the storage and for tests.
    pub fn word(self) -> &'static str {
        match self {
            Layer::Ground => "ground",
            Layer::Names => "names",
            Layer::Trails => "trails",
            Layer::Heat => "heat",
            Layer::Areas => "areas",
        }
    }

    /// What it is called.
    pub fn label(self) -> &'static str {
        match self {
            Layer::Ground => said("Streets and places"),
            Layer::Names => said("Names"),
            Layer::Trails => said("Trails"),
            Layer::Heat => said("How full"),
            Layer::Areas => said("Areas"),
        }
    }

    /// What that is.
    pub fn hint(self) -> &'static str {
        match self {
            Layer::Ground => said("the base map"),
            Layer::Names => said("of things, when close"),
            Layer::Trails => said("of vehicles, 5 minutes"),
            Layer::Heat => said("car parks, as a shade"),
            Layer::Areas => said("that rules name"),
        }
    }
}

impl Layers {
    /// Whether one is shown.
    pub fn has(self, layer: Layer) -> bool {
        match layer {
            Layer::Ground => self.ground,
            Layer::Names => self.names,
            Layer::Trails => self.trails,
            Layer::Heat => self.heat,
            Layer::Areas => self.areas,
        }
    }

    /// Shows or hides one.
    pub fn set(&mut self, layer: Layer, shown: bool) {
        let one = match layer {
            Layer::Ground => &mut self.ground,
            Layer::Names => &mut self.names,
            Layer::Trails => &mut self.trails,
            Layer::Heat => &mut self.heat,
            Layer::Areas => &mut self.areas,
        };
        *one = shown;
    }
}

/// As it is kept: `+ground -heat …`, and `-lamp` for a kind that is not shown.
pub fn words(layers: Layers, hidden: &[Kind]) -> String {
    let sign = |is: bool| if is { '+' } else { '-' };
    let of_layers = Layer::ALL.map(|layer| format!("{}{}", sign(layers.has(layer)), layer.word()));
    let of_kinds = hidden.iter().map(|kind| format!("-{}", kind.word()));
    of_layers.into_iter().chain(of_kinds).collect::<Vec<_>>().join(" ")
}

/// What was kept; words that nobody knows are passed over.
pub fn from_words(text: &str) -> (Layers, Vec<Kind>) {
    let (mut layers, mut hidden) = (Layers::default(), Vec::new());
    for word in text.split_whitespace() {
        let (is_shown, name) = (word.starts_with('+'), word.trim_start_matches(['+', '-']));
        if let Some(layer) = Layer::ALL.into_iter().find(|layer| layer.word() == name) {
            layers.set(layer, is_shown);
        } else if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.word() == name)
            && !is_shown
        {
            hidden.push(kind);
        }
    }
    (layers, hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_comes_back_from_the_storage() {
        let mut layers = Layers::default();
        layers.set(Layer::Heat, true);
        layers.set(Layer::Ground, false);
        let hidden = vec![Kind::Lamp, Kind::Vehicle];
        let kept = words(layers, &hidden);
        assert_eq!(kept, "+names +trails +areas +heat -ground -lamp -vehicle");
        assert_eq!(from_words(&kept), (layers, hidden));
        assert_eq!(from_words("+tomorrow -boat"), (Layers::default(), Vec::new()));
        for layer in Layer::ALL {
            layers.set(layer, false);
            assert!(!layers.has(layer));
        }
    }
}
