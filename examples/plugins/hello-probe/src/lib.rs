use watchkeeper_sdk::{Capability, Context, Probe, Reading, Stop, Target, http};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {
    /// Sick when more jobs than this are waiting.
    sick_above: f64,
}

struct QueueDepth;

impl Probe for QueueDepth {
    type Config = Config;
    const NAME: &str = "queue-depth";
    const SUMMARY: &str = "Sick when too many jobs wait in a queue";
    const ASKS: &[Capability] = &[Capability::Http];

    fn check(config: Config, target: &Target, _: &Context) -> Result<Reading, Stop> {
        let answer: serde_json::Value = http::get(target)?.success()?.json()?;
        let Some(depth) = answer["queue"]["depth"].as_f64() else {
            return Ok(Reading::dead("the answer has no queue.depth"));
        };
        Ok(Reading::healthy()
            .measure("jobs-waiting", depth, "jobs")
            .sick_if(depth > config.sick_above, format!("{depth} jobs are waiting")))
    }
}

watchkeeper_sdk::probe!(QueueDepth);
