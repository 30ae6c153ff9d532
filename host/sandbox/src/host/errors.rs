//! `wasi:io/error` without the host's insides.

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::io::error;

use crate::host::Host;

/// Links the interface, over wasmtime-wasi's: that one prints an error with the
/// backtrace that Rust takes when the host's environment asks for one, paths of
/// its build and all.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    error::add_to_linker::<Host, HasErrors>(linker, |host| Errors {
        table: &mut host.table,
    })
}

struct HasErrors;

impl HasData for HasErrors {
    type Data<'a> = Errors<'a>;
}

struct Errors<'a> {
    table: &'a mut ResourceTable,
}

impl error::Host for Errors<'_> {}

impl error::HostError for Errors<'_> {
    fn to_debug_string(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<String> {
        Ok(format!("{:#}", self.table.get(&error)?))
    }

    fn drop(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<()> {
        self.table.delete(error)?;
        Ok(())
    }
}
