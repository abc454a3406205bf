//! What a hash costs.

use argon2::Params;

/// OWASP's minimum for Argon2id, and the default.
const MINIMUM_COST: Cost = Cost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };

/// Bounds what one verification can cost, also of a stored hash that was not written here.
const MAX_COST: Cost = Cost { memory_kib: 256 * 1024, passes: 16, lanes: 16 };

/// The cost of hashing as it is configured, never below OWASP's minimum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashParams {
    pub(super) cost: Cost,
    pub(super) pepper: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashParamsError {
    #[error("memory must be between {} and {} KiB", MINIMUM_COST.memory_kib, MAX_COST.memory_kib)]
    Memory,
    #[error("passes must be between {} and {}", MINIMUM_COST.passes, MAX_COST.passes)]
    Passes,
    #[error("lanes must be between {} and {}", MINIMUM_COST.lanes, MAX_COST.lanes)]
    Lanes,
}

impl HashParams {
    /// With a pepper. `lanes` is Argon2's p: lanes are computed one after another, on one core.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, HashParamsError> {
        if !(MINIMUM_COST.memory_kib..=MAX_COST.memory_kib).contains(&memory_kib) {
            return Err(HashParamsError::Memory);
        }
        if !(MINIMUM_COST.passes..=MAX_COST.passes).contains(&passes) {
            return Err(HashParamsError::Passes);
        }
        if !(MINIMUM_COST.lanes..=MAX_COST.lanes).contains(&lanes) {
            return Err(HashParamsError::Lanes);
        }
        Ok(Self { cost: Cost { memory_kib, passes, lanes }, pepper: true })
    }

    /// New hashes get no pepper; those that have one still verify.
    #[must_use]
    pub fn without_pepper(self) -> Self {
        Self { pepper: false, ..self }
    }

    #[cfg(any(test, feature = "test-util"))]
    pub(super) fn cheap_for_tests() -> Self {
        Self { cost: Cost { memory_kib: Params::MIN_M_COST, passes: 1, lanes: 1 }, pepper: true }
    }
}

impl Default for HashParams {
    fn default() -> Self {
        Self { cost: MINIMUM_COST, pepper: true }
    }
}

/// The three numbers of Argon2, bounded from above and possible for Argon2, but perhaps of an older time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) memory_kib: u32,
    pub(super) passes: u32,
    pub(super) lanes: u32,
}

impl Cost {
    /// `None` for what Argon2 cannot do or what costs too much.
    pub(super) fn of_stored(params: &Params) -> Option<Self> {
        let cost = Self { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() };
        let bounded = cost.memory_kib <= MAX_COST.memory_kib
            && cost.passes <= MAX_COST.passes
            && cost.lanes <= MAX_COST.lanes;
        bounded.then_some(cost)
    }

    /// Whether any of the numbers has been raised since.
    pub(super) fn is_below(self, current: Self) -> bool {
        self.memory_kib < current.memory_kib || self.passes < current.passes || self.lanes < current.lanes
    }

    pub(super) fn argon2(self, output_length: usize) -> argon2::Result<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(output_length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owasp_minimum_is_the_floor_and_the_default() {
        assert_eq!(HashParams::new(19_456, 2, 1), Ok(HashParams::default()));
        let cases = [
            (19_455, 2, 1, HashParamsError::Memory),
            (262_145, 2, 1, HashParamsError::Memory),
            (19_456, 1, 1, HashParamsError::Passes),
            (19_456, 17, 1, HashParamsError::Passes),
            (19_456, 2, 0, HashParamsError::Lanes),
            (19_456, 2, 17, HashParamsError::Lanes),
        ];
        for (memory, passes, lanes, error) in cases {
            assert_eq!(HashParams::new(memory, passes, lanes), Err(error));
        }
    }

    #[test]
    fn every_configurable_cost_is_one_that_argon2_takes() {
        for cost in [
            MINIMUM_COST,
            MAX_COST,
            Cost { lanes: MAX_COST.lanes, ..MINIMUM_COST },
            HashParams::cheap_for_tests().cost,
        ] {
            assert!(cost.argon2(32).is_ok(), "{cost:?}");
        }
    }

    #[test]
    fn below_means_that_something_was_raised() {
        let current = MINIMUM_COST;
        assert!(!current.is_below(current));
        assert!(Cost { memory_kib: 1024, ..current }.is_below(current));
        assert!(Cost { passes: 1, memory_kib: 64 * 1024, ..current }.is_below(current));
        assert!(!Cost { passes: 3, ..current }.is_below(current));
    }
}
