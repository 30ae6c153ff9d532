//! Counts what an instance grows, and stops it at its limit.

use wasmtime::ResourceLimiter;

use crate::limits::{LimitHit, Limits, MAX_MEMORY, MAX_TABLE_ELEMENTS, fixed};

/// The memory and tables of one instance.
#[derive(Debug)]
pub(crate) struct Ceiling {
    most_memory: usize,
    most_elements: usize,
    memory: usize,
    elements: usize,
}

impl Ceiling {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            most_memory: limits.memory.min(MAX_MEMORY),
            most_elements: limits.table_elements.min(MAX_TABLE_ELEMENTS),
            memory: 0,
            elements: 0,
        }
    }

    /// The most bytes that all memories together have had. Linear memory never
    /// shrinks, so that this is also what they have.
    pub(crate) fn peak_memory(&self) -> usize {
        self.memory
    }
}

impl ResourceLimiter for Ceiling {
    // A guest told "no" would go on without what it needs, in its own words or
    // none. Ending it here is what makes the outcome name the limit.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let memory = self.memory.saturating_add(desired.saturating_sub(current));
        if memory > self.most_memory {
            return Err(LimitHit::Memory(self.most_memory).into());
        }
        let fits = maximum.is_none_or(|maximum| desired <= maximum);
        if fits {
            self.memory = memory;
        }
        Ok(fits)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let elements = self
            .elements
            .saturating_add(desired.saturating_sub(current));
        if elements > self.most_elements {
            return Err(LimitHit::TableElements(self.most_elements).into());
        }
        let fits = maximum.is_none_or(|maximum| desired <= maximum);
        if fits {
            self.elements = elements;
        }
        Ok(fits)
    }

    fn instances(&self) -> usize {
        fixed::INSTANCES
    }

    fn tables(&self) -> usize {
        fixed::TABLES
    }

    fn memories(&self) -> usize {
        fixed::MEMORIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_count_together() {
        let mut ceiling = Ceiling::new(&Limits {
            memory: 1 << 20,
            ..Limits::default()
        });
        assert!(ceiling.memory_growing(0, 600 << 10, None).unwrap());
        assert!(ceiling.memory_growing(0, 400 << 10, None).unwrap());
        let error = ceiling
            .memory_growing(600 << 10, 700 << 10, None)
            .unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&LimitHit::Memory(1 << 20)));
        assert_eq!(ceiling.peak_memory(), 1000 << 10);
    }

    #[test]
    fn what_the_guest_forbids_itself_does_not_count() {
        let mut ceiling = Ceiling::new(&Limits::default());
        assert!(
            !ceiling
                .memory_growing(0, 128 << 10, Some(64 << 10))
                .unwrap()
        );
        assert_eq!(ceiling.peak_memory(), 0);
        assert!(!ceiling.table_growing(0, 20, Some(10)).unwrap());
    }

    #[test]
    fn no_limit_exceeds_the_pool() {
        let mut ceiling = Ceiling::new(&Limits {
            memory: usize::MAX,
            table_elements: usize::MAX,
            ..Limits::default()
        });
        assert!(ceiling.memory_growing(0, MAX_MEMORY + 1, None).is_err());
        let error = ceiling
            .table_growing(0, MAX_TABLE_ELEMENTS + 1, None)
            .unwrap_err();
        assert_eq!(
            error.downcast_ref(),
            Some(&LimitHit::TableElements(MAX_TABLE_ELEMENTS))
        );
    }
}
