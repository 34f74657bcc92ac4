//! Fixed-base multiplication with tables.
//!
//! [`Comb`] is for public scalars: the 256 bits of a scalar are two blocks of eight teeth, 16 bits
//! apart; a table holds every sum of a block's teeth, so a multiplication takes 15 doublings
//! (shared by all bases of a sum) and 32 additions. [`SecretComb`] is for secret ones: signed
//! digits of four bits, each looked up by reading its whole row, 65 additions and no doublings.

use std::sync::LazyLock;

use k256::elliptic_curve::BatchNormalize as _;
use k256::elliptic_curve::subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use k256::{AffinePoint, ProjectivePoint, Scalar};
use zeroize::Zeroizing;

/// Teeth of a block: eight make tables of 43 KiB, which is what two levels of cache hold for a few
/// hot rings; nine would save a tenth of the additions for twice the memory.
const TEETH: usize = 8;
const BLOCKS: usize = 2;
/// Bits between teeth.
const COLUMNS: usize = 256 / (TEETH * BLOCKS);
const ENTRIES: usize = 1 << TEETH;

/// Digits of a scalar, from the column of the most significant bits down: a table entry for each
/// block.
pub(super) struct Digits([[u8; BLOCKS]; COLUMNS]);

impl Digits {
    /// The digits of a public scalar.
    pub(super) fn new(scalar: &Scalar) -> Self {
        let bytes = scalar.to_bytes();
        let mut digits = [[0; BLOCKS]; COLUMNS];
        // Words of 16 bits from the least significant up: word k holds the columns of tooth k mod 8
        // of block k / 8.
        for (tooth, word) in bytes.rchunks_exact(2).enumerate() {
            let word = u16::from_be_bytes([word[0], word[1]]);
            for (column, digit) in digits.iter_mut().rev().enumerate() {
                digit[tooth / TEETH] |= ((word >> column & 1) as u8) << (tooth % TEETH);
            }
        }
        Self(digits)
    }
}

/// Table of a base point for public scalars.
pub(super) struct Comb(Vec<AffinePoint>);

impl Comb {
    /// Builds the table; about 0.25 ms.
    pub(super) fn new(base: &AffinePoint) -> Self {
        let mut sums = vec![ProjectivePoint::GENERATOR; BLOCKS * ENTRIES];
        let mut tooth = ProjectivePoint::from(*base);
        for block in sums.chunks_exact_mut(ENTRIES) {
            for index in 0..TEETH {
                let bit = 1 << index;
                block[bit] = tooth;
                for lower in 1..bit {
                    block[bit | lower] = block[lower] + tooth;
                }
                for _ in 0..COLUMNS {
                    tooth = tooth.double();
                }
            }
        }
        // The empty sums hold the generator until here, because the identity has no inverse to
        // share.
        let mut sums = ProjectivePoint::batch_normalize_vartime(&sums[..]);
        sums[0] = AffinePoint::IDENTITY;
        sums[ENTRIES] = AffinePoint::IDENTITY;
        Self(sums)
    }

    /// The base times a public scalar.
    pub(super) fn multiply(&self, scalar: &Scalar) -> ProjectivePoint {
        sum([(self, &Digits::new(scalar))])
    }
}

/// The sum of bases times public scalars.
pub(super) fn sum<const N: usize>(terms: [(&Comb, &Digits); N]) -> ProjectivePoint {
    let mut sum = ProjectivePoint::IDENTITY;
    for column in 0..COLUMNS {
        if column > 0 {
            sum.double_in_place();
        }
        for (comb, digits) in &terms {
            for (block, digit) in comb.0.chunks_exact(ENTRIES).zip(digits.0[column]) {
                if digit != 0 {
                    sum += &block[usize::from(digit)];
                }
            }
        }
    }
    sum
}

/// The generator's table.
pub(super) fn generator() -> &'static Comb {
    static TABLE: LazyLock<Comb> = LazyLock::new(|| Comb::new(&AffinePoint::GENERATOR));
    &TABLE
}

/// Multiples of a row: 1 to 8.
const MULTIPLES: usize = 8;
/// Digits of four bits, and one for the carry.
const ROWS: usize = 65;

/// Table of a base point for secret scalars.
pub(super) struct SecretComb(Vec<AffinePoint>);

impl SecretComb {
    /// Builds the table; about 0.25 ms.
    pub(super) fn new(base: &AffinePoint) -> Self {
        let mut multiples = Vec::with_capacity(ROWS * MULTIPLES);
        let mut unit = ProjectivePoint::from(*base);
        for _ in 0..ROWS {
            let mut multiple = unit;
            for _ in 0..MULTIPLES {
                multiples.push(multiple);
                multiple += &unit;
            }
            // The last one made is nine units; sixteen are twice eight.
            unit = (multiple - unit).double();
        }
        Self(ProjectivePoint::batch_normalize_vartime(&multiples[..]))
    }

    /// The base times a secret scalar, in constant time.
    pub(super) fn multiply(&self, scalar: &Scalar) -> ProjectivePoint {
        let digits = signed_digits(scalar);
        let rows = self.0.chunks_exact(MULTIPLES).zip(digits.iter());
        rows.fold(ProjectivePoint::IDENTITY, |sum, (row, digit)| {
            sum + select(row, *digit)
        })
    }
}

/// The generator's table for secret scalars.
pub(super) fn secret_generator() -> &'static SecretComb {
    static TABLE: LazyLock<SecretComb> = LazyLock::new(|| SecretComb::new(&AffinePoint::GENERATOR));
    &TABLE
}

/// Digits from -8 to 8, least significant first, in constant time.
fn signed_digits(scalar: &Scalar) -> Zeroizing<[i8; ROWS]> {
    let bytes = Zeroizing::new(<[u8; 32]>::from(scalar.to_bytes()));
    let mut digits = Zeroizing::new([0i8; ROWS]);
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes.iter().rev()) {
        pair[0] = (byte & 15) as i8;
        pair[1] = (byte >> 4) as i8;
    }
    let mut carry = 0;
    for digit in digits.iter_mut() {
        let value = *digit + carry;
        // One when the value is 8 or more, which becomes negative with a carry.
        carry = (value + 8) >> 4;
        *digit = value - (carry << 4);
    }
    digits
}

/// The multiple of a row for a digit from -8 to 8: reads the whole row.
fn select(row: &[AffinePoint], digit: i8) -> AffinePoint {
    let sign = digit >> 7;
    let magnitude = ((digit ^ sign) - sign) as u8;
    let mut selected = AffinePoint::IDENTITY;
    for (multiple, number) in row.iter().zip(1u8..) {
        selected.conditional_assign(multiple, magnitude.ct_eq(&number));
    }
    let negated = -selected;
    selected.conditional_assign(&negated, Choice::from((sign & 1) as u8));
    selected
}

#[cfg(test)]
mod tests {
    use k256::elliptic_curve::ops::Reduce as _;
    use proptest::prelude::*;

    use super::*;

    fn check(scalar: Scalar) {
        let base = (ProjectivePoint::GENERATOR * Scalar::from(77u64)).to_affine();
        let product = ProjectivePoint::from(base) * scalar;
        assert_eq!(Comb::new(&base).multiply(&scalar), product);
        assert_eq!(SecretComb::new(&base).multiply(&scalar), product);
        assert_eq!(
            generator().multiply(&scalar),
            ProjectivePoint::GENERATOR * scalar
        );
        assert_eq!(
            secret_generator().multiply(&scalar),
            ProjectivePoint::GENERATOR * scalar
        );
    }

    #[test]
    fn edges_multiply_right() {
        for number in [0, 1, 7, 8, 9, 15, 16, 255, 256, u64::MAX] {
            check(Scalar::from(number));
            check(-Scalar::from(number));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn tables_multiply_as_the_library_does(bytes: [u8; 32]) {
            check(Scalar::reduce(&k256::FieldBytes::from(bytes)));
        }
    }
}
