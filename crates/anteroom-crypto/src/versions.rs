//! The versions of one key: never empty, newest first.

pub(crate) struct Versions<K> {
    newest: (u32, K),
    older: Vec<(u32, K)>,
}

impl<K> Versions<K> {
    /// `None` when there is no version at all. The versions given are distinct.
    pub(crate) fn new(mut all: Vec<(u32, K)>) -> Option<Self> {
        all.sort_by_key(|(version, _)| *version);
        let newest = all.pop()?;
        all.reverse();
        Some(Self { newest, older: all })
    }

    pub(crate) fn map<T>(&self, mut f: impl FnMut(&K) -> T) -> Versions<T> {
        Versions {
            newest: (self.newest.0, f(&self.newest.1)),
            older: self.older.iter().map(|(version, key)| (*version, f(key))).collect(),
        }
    }

    pub(crate) fn try_map<T, E>(&self, mut f: impl FnMut(&K) -> Result<T, E>) -> Result<Versions<T>, E> {
        Ok(Versions {
            newest: (self.newest.0, f(&self.newest.1)?),
            older: self
                .older
                .iter()
                .map(|(version, key)| Ok((*version, f(key)?)))
                .collect::<Result<_, E>>()?,
        })
    }

    pub(crate) fn newest(&self) -> (u32, &K) {
        (self.newest.0, &self.newest.1)
    }

    pub(crate) fn oldest(&self) -> &K {
        &self.older.last().unwrap_or(&self.newest).1
    }

    pub(crate) fn get(&self, version: u32) -> Option<&K> {
        self.iter().find(|(known, _)| *known == version).map(|(_, key)| key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &K)> {
        std::iter::once(&self.newest).chain(&self.older).map(|(version, key)| (*version, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_first_whatever_the_order_of_arrival() {
        let versions = Versions::new(vec![(2, 'b'), (9, 'z'), (1, 'a')]).unwrap();
        assert_eq!(versions.newest(), (9, &'z'));
        assert_eq!(versions.iter().map(|(version, _)| version).collect::<Vec<_>>(), [9, 2, 1]);
        assert_eq!(*versions.oldest(), 'a');
        assert_eq!(versions.get(2), Some(&'b'));
        assert_eq!(versions.get(3), None);
        assert!(Versions::<char>::new(vec![]).is_none());
    }
}
