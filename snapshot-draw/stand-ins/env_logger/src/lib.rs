//! Nothing: `maplibre` names it for its own tests alone.
