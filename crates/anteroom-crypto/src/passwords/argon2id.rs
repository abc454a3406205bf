//! The computation itself, over memory that is lent to it.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroize as _;

use super::error::HashError;

/// The working memory of Argon2, kept by its owner from hash to hash.
#[derive(Default)]
pub(crate) struct Argon2Memory(Vec<Block>);

/// glibc keeps freed memory of up to 32 MiB in its heaps, and with this alignment never finds it again: two threads
/// that allocate and free 19 MiB thirty times keep 430 MiB. Anything larger goes back to the system at once, so more
/// is asked for than that; what is never touched takes no memory.
const LEAST_CAPACITY: usize = 33 * 1024 * 1024 / Block::SIZE;

impl Argon2Memory {
    fn blocks(&mut self, count: usize) -> Result<&mut [Block], HashError> {
        if self.0.len() < count {
            // Nothing in the old blocks is worth copying into larger ones.
            if self.0.capacity() < count {
                self.release();
            }
            let wanted = count.max(LEAST_CAPACITY);
            self.0.try_reserve_exact(wanted - self.0.len()).map_err(|_| HashError::OutOfMemory)?;
            self.0.resize(count, Block::new());
        }
        self.0.get_mut(..count).ok_or(HashError::OutOfMemory)
    }

    pub(crate) fn is_held(&self) -> bool {
        self.0.capacity() > 0
    }

    /// The blocks come from passwords, so they are wiped before the memory goes back.
    pub(crate) fn release(&mut self) {
        for block in &mut self.0 {
            block.zeroize();
        }
        self.0 = Vec::new();
    }
}

impl Drop for Argon2Memory {
    fn drop(&mut self) {
        self.release();
    }
}

/// What goes into one hash.
pub(super) struct Input<'a> {
    pub(super) params: Params,
    pub(super) pepper: Option<&'a [u8]>,
    pub(super) password: &'a [u8],
    pub(super) salt: &'a [u8],
}

pub(super) fn argon2id(
    input: Input<'_>,
    out: &mut [u8],
    scratch: &mut Argon2Memory,
) -> Result<(), HashError> {
    let Input { params, pepper, password, salt } = input;
    let blocks = scratch.blocks(params.block_count())?;
    let argon2 = match pepper {
        Some(pepper) => Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params)?,
        None => Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
    };
    Ok(argon2.hash_password_into_with_memory(password, salt, out, blocks)?)
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};

    use super::*;

    #[test]
    fn rfc9106_5_3_argon2id_with_a_secret() {
        let params = ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(AssociatedData::new(&[4; 12]).unwrap())
            .output_len(32)
            .build()
            .unwrap();
        let input = Input { params, pepper: Some(&[3; 8]), password: &[1; 32], salt: &[2; 16] };
        let mut tag = [0; 32];
        argon2id(input, &mut tag, &mut Argon2Memory::default()).unwrap();
        let expected = [
            0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9,
            0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
        ];
        assert_eq!(tag, expected);
    }

    #[test]
    fn used_memory_changes_nothing_about_the_hash() {
        let hash = |memory_kib, scratch: &mut Argon2Memory| {
            let params = Params::new(memory_kib, 1, 1, Some(32)).unwrap();
            let input = Input { params, pepper: None, password: b"password", salt: &[2; 16] };
            let mut tag = [0; 32];
            argon2id(input, &mut tag, scratch).unwrap();
            tag
        };
        let mut used = Argon2Memory::default();
        for memory_kib in [64, 8, 128, 64, 40_000, 8] {
            assert_eq!(hash(memory_kib, &mut used), hash(memory_kib, &mut Argon2Memory::default()));
        }
        assert!(used.is_held());
        used.release();
        assert!(!used.is_held());
    }
}
