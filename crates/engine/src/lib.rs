//! The fleet as a pure function of its inputs, and the one actor that performs its effects.
