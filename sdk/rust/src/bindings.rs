//! The contract's generated bindings. Both worlds share the bindings of the
//! interfaces that both import, so that a value of one fits the other.

/// The world of probes, and every interface that a plugin can import.
pub mod probe_plugin {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "probe-plugin",
        pub_export_macro: true,
        export_macro_name: "export_probe",
        default_bindings_module: "watchkeeper_sdk::bindings::probe_plugin",
        generate_all,
    });
}

/// The world of notifiers.
pub mod notifier_plugin {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "notifier-plugin",
        pub_export_macro: true,
        export_macro_name: "export_notifier",
        default_bindings_module: "watchkeeper_sdk::bindings::notifier_plugin",
        with: {
            "watchkeeper:plugin/types@0.1.0": crate::bindings::probe_plugin::watchkeeper::plugin::types,
            "watchkeeper:plugin/log@0.1.0": crate::bindings::probe_plugin::watchkeeper::plugin::log,
            "watchkeeper:plugin/state@0.1.0": crate::bindings::probe_plugin::watchkeeper::plugin::state,
            "watchkeeper:plugin/tls@0.1.0": crate::bindings::probe_plugin::watchkeeper::plugin::tls,
            "watchkeeper:plugin/http-settings@0.1.0": crate::bindings::probe_plugin::watchkeeper::plugin::http_settings,
        },
    });
}

/// What every plugin can export besides.
pub mod validated_plugin {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "validated-plugin",
        pub_export_macro: true,
        export_macro_name: "export_validation",
        default_bindings_module: "watchkeeper_sdk::bindings::validated_plugin",
    });
}

pub use notifier_plugin::exports::watchkeeper::plugin::notifier;
pub use probe_plugin::exports::watchkeeper::plugin::probe;
pub use probe_plugin::watchkeeper::plugin::{
    dns, http_settings, http_trace, icmp, log, state, tls, types,
};
pub use validated_plugin::exports::watchkeeper::plugin::validation;
