//! Arithmetic on numbers of any size, in one place: sums and products of them cannot overflow, and division is only
//! offered where the divisor was checked.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "big naturals grow as needed, and each division here has a divisor checked to be above 0"
)]

use num_bigint::BigUint;
use num_integer::Integer as _;
use num_traits::Zero as _;

/// `a + b`.
pub(crate) fn sum(a: &BigUint, b: &BigUint) -> BigUint {
    a + b
}

/// `a * b`.
pub(crate) fn product(a: &BigUint, b: &BigUint) -> BigUint {
    a * b
}

/// `floor(a / b)`; 0 for a divisor of 0.
pub(crate) fn floor(a: &BigUint, b: &BigUint) -> BigUint {
    if b.is_zero() { BigUint::zero() } else { a / b }
}

/// `ceil(a / b)`; 0 for a divisor of 0.
pub(crate) fn ceil(a: &BigUint, b: &BigUint) -> BigUint {
    if b.is_zero() {
        BigUint::zero()
    } else {
        a.div_ceil(b)
    }
}

/// `a / gcd(a, b)` and `b / gcd(a, b)`; both 0 if both are.
pub(crate) fn reduce(a: &BigUint, b: &BigUint) -> (BigUint, BigUint) {
    let divisor = a.gcd(b);
    (floor(a, &divisor), floor(b, &divisor))
}
