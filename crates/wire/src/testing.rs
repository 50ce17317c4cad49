//! What several tests of this crate do: chance that is the same every time, and every order of a few messages.

/// Numbers below what is asked for, at random, the same for the same seed (xorshift64, Marsaglia 2003).
pub fn chance(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    }
}

/// Every order of the first `count` numbers but the one they are in, each once (Heap's algorithm).
pub fn every_other_order(count: usize, mut with: impl FnMut(&[usize])) {
    let mut order: Vec<usize> = (0..count).collect();
    let mut counters = vec![0; count];
    let mut i = 0;
    while i < count {
        if counters[i] < i {
            order.swap(if i % 2 == 0 { 0 } else { counters[i] }, i);
            with(&order);
            counters[i] += 1;
            i = 0;
        } else {
            counters[i] = 0;
            i += 1;
        }
    }
}

#[test]
fn three_have_five_other_orders() {
    let mut orders = std::collections::BTreeSet::new();
    every_other_order(3, |order| assert!(orders.insert(order.to_vec()), "{order:?} came twice"));
    assert_eq!((orders.len(), orders.contains(&vec![0, 1, 2])), (5, false));
}
