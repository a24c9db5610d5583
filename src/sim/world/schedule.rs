//! What happens when and where: a scenario's events drawn out over the edges of a plan. Pure.

use std::collections::{BTreeSet, HashMap};

use jiff::SignedDuration;

use super::dice::{dice, pick, share_of};
use super::plan::{Auto, EdgePlan, Plan};
use super::scenario::{Action, Scenario, ScenarioEvent, Targets};

/// One thing that happens to one edge, or (`None`) to the repository.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned {
    /// When, counted from the start.
    pub(crate) at: SignedDuration,
    /// Index of the edge.
    pub(crate) edge: Option<usize>,
    /// Short name of the application it is about, if any.
    pub(crate) app: String,
    /// What happens.
    pub(crate) action: Action,
}

/// Everything that will happen, in order of time.
pub(crate) fn draw(scenario: &Scenario, plan: &Plan, seed: u64) -> Vec<Planned> {
    let mut remembered: HashMap<&str, BTreeSet<usize>> = HashMap::new();
    let mut planned = Vec::new();
    for (number, event) in scenario.events.iter().enumerate() {
        if matches!(event.action, Action::Commit { .. }) {
            planned.push(happening(event, event.at, None));
            continue;
        }
        let mut rng = dice(seed, &format!("event {number}"));
        let edges = choose(event, plan, &remembered, &mut rng);
        for &edge in &edges {
            let spread = i64::try_from(event.spread.as_millis()).unwrap_or(0);
            let delay = SignedDuration::from_millis(rng.i64(0..=spread.max(0)));
            planned.push(happening(event, event.at + delay, Some(edge)));
        }
        if let Some(name) = &event.on.remember {
            remembered.insert(name, edges.into_iter().collect());
        }
    }
    planned.sort_by_key(|p| p.at);
    planned
}

fn happening(event: &ScenarioEvent, at: SignedDuration, edge: Option<usize>) -> Planned {
    Planned {
        at,
        edge,
        app: event.app.clone(),
        action: event.action.clone(),
    }
}

fn choose(
    event: &ScenarioEvent,
    plan: &Plan,
    remembered: &HashMap<&str, BTreeSet<usize>>,
    rng: &mut fastrand::Rng,
) -> Vec<usize> {
    let was = |name: &str, edge: usize| remembered.get(name).is_some_and(|set| set.contains(&edge));
    let on = &event.on;
    let fit: Vec<usize> = plan
        .edges
        .iter()
        .enumerate()
        .filter(|(_, edge)| edge.silence.is_none() && fits(on, edge, &event.app))
        .map(|(i, _)| i)
        .filter(|i| on.was.as_ref().is_none_or(|name| was(name, *i)))
        .filter(|i| !on.not.iter().any(|name| was(name, *i)))
        .collect();
    let share = on.share.map(|share| share_of(plan.edges.len(), share));
    let count = on
        .count
        .unwrap_or(usize::MAX)
        .min(share.unwrap_or(usize::MAX));
    if count >= fit.len() {
        return fit;
    }
    let picked = pick(rng, fit.len(), count);
    picked
        .into_iter()
        .filter_map(|i| fit.get(i).copied())
        .collect()
}

fn fits(on: &Targets, edge: &EdgePlan, app: &str) -> bool {
    let app_plan = edge.app(app);
    let healing = app_plan.is_some_and(|a| a.auto == Auto::Heal);
    (app.is_empty() || app_plan.is_some())
        && on.self_heal.is_none_or(|wanted| wanted == healing)
        && on.flux.is_none_or(|wanted| wanted == edge.flux)
        && on.region.as_ref().is_none_or(|r| r == edge.site.region)
        && (on.edges.is_empty() || on.edges.iter().any(|pattern| matches(pattern, &edge.name)))
}

/// A name, or its beginning before `*`.
fn matches(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == name, |beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::world::plan::Size;

    fn plan_of(name: &str, edges: usize) -> (Scenario, Plan) {
        let scenario = Scenario::named(name).unwrap();
        let size = Size {
            edges,
            apps: 5,
            silent: 0,
            seed: 1,
        };
        let plan = Plan::draw(&scenario, size);
        (scenario, plan)
    }

    fn scales(planned: &[Planned]) -> BTreeSet<usize> {
        let scaled = planned
            .iter()
            .filter(|p| matches!(p.action, Action::Scale { .. }));
        scaled.filter_map(|p| p.edge).collect()
    }

    #[test]
    fn hands_scales_most_edges_within_its_spread() {
        let (scenario, plan) = plan_of("hands", 12);
        let planned = draw(&scenario, &plan, 1);
        assert_eq!(scales(&planned).len(), 10);
        let late = SignedDuration::from_secs(8);
        assert!(
            planned
                .iter()
                .filter(|p| matches!(p.action, Action::Scale { .. }))
                .all(|p| p.at <= late)
        );
        assert!(planned.windows(2).all(|w| w[0].at <= w[1].at));
    }

    #[test]
    fn edits_of_their_own_fall_on_different_edges() {
        let (scenario, plan) = plan_of("hands", 12);
        let planned = draw(&scenario, &plan, 3);
        let edits = planned.iter().filter(
            |p| matches!(&p.action, Action::Edit { name, .. } if name == "edge-microservice"),
        );
        let edges: Vec<usize> = edits.filter_map(|p| p.edge).collect();
        assert_eq!(edges.len(), 3);
        assert_eq!(edges.iter().collect::<BTreeSet<_>>().len(), 3);
    }

    #[test]
    fn a_site_that_goes_dark_is_the_one_that_returns() {
        let (scenario, plan) = plan_of("shift", 12);
        let planned = draw(&scenario, &plan, 7);
        let of = |wanted: fn(&Action) -> bool| {
            let found = planned.iter().filter(|p| wanted(&p.action));
            found.filter_map(|p| p.edge).collect::<Vec<_>>()
        };
        let dark = of(|a| matches!(a, Action::Dark { .. }));
        assert_eq!(dark.len(), 1);
        assert_eq!(of(|a| matches!(a, Action::Return)), dark);
    }

    #[test]
    fn edges_without_the_application_and_silent_ones_are_left_out() {
        let scenario = Scenario::named("hands").unwrap();
        let size = Size {
            edges: 12,
            apps: 1,
            silent: 4,
            seed: 1,
        };
        let plan = Plan::draw(&scenario, size);
        let planned = draw(&scenario, &plan, 1);
        assert!(scales(&planned).is_empty(), "nobody runs the ingress");
        assert!(
            planned
                .iter()
                .filter_map(|p| p.edge)
                .all(|i| plan.edges[i].silence.is_none())
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_story() {
        let (scenario, plan) = plan_of("shift", 12);
        assert_eq!(draw(&scenario, &plan, 5), draw(&scenario, &plan, 5));
        assert_ne!(draw(&scenario, &plan, 5), draw(&scenario, &plan, 6));
    }

    #[test]
    fn names_match_by_their_beginning() {
        assert!(matches("edge-oslo-*", "edge-oslo-003"));
        assert!(matches("edge-oslo-003", "edge-oslo-003"));
        assert!(!matches("edge-oslo", "edge-oslo-003"));
    }
}
