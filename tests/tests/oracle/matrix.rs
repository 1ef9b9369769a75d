//! The cross product: requests, handlers and responses in every phase that begins at every step, over every transport,
//! and with every setting of hyper.

use crate::{
    compare::{Case, check_all},
    conversations,
    request::{Framing, Lasting, get, post},
    script::{Moment, Script},
    settings::{FLAGS, Settings},
    transport::Transport,
};

const FIRST_HALF: Moment = Moment::Grace(25);
const SECOND_HALF: Moment = Moment::Grace(60);

/// What handlers do with a body.
const READS: [&str; 6] = ["early", "half", "all", "all/late", "late", "keep"];
const RESPONSES: [&str; 5] = ["len", "chunk", "stream", "stream-len", "close"];
const FRAMINGS: [Framing; 4] = [Framing::None, Framing::Length, Framing::Trailer, Framing::Expect];
const LASTING: [Lasting; 4] = [Lasting::Http11, Lasting::Http11Close, Lasting::Http10, Lasting::Http10KeepAlive];

/// Every request that is sent in parts, with a request behind it on the same connection.
fn products() -> Vec<(String, Script)> {
    let mut all = Vec::new();
    for framing in FRAMINGS {
        for lasting in LASTING {
            for read in READS {
                for response in RESPONSES {
                    let request = post(&format!("{read}/{response}"), framing).lasting(lasting);
                    let mut parts = request.parts();
                    let last = parts.pop().unwrap();
                    let begun = parts.iter().fold(Script::new(), |script, part| script.part(part));
                    let script = begun.request(last).release().release().request(get("next").whole());
                    all.push((format!("{framing:?} {lasting:?} {read} {response}"), script));
                }
            }
        }
    }
    all
}

fn conversations() -> Vec<(String, Script)> {
    conversations::all().into_iter().map(|(name, script)| (name.to_owned(), script)).collect()
}

/// Each script with the moment at each of its steps.
fn at_each_step(scripts: Vec<(String, Script)>, moment: Moment) -> impl Iterator<Item = Case> {
    scripts.into_iter().flat_map(move |(name, script)| {
        let steps = 0..=script.steps.len();
        steps.map(move |at| Case::new(format!("{name}, {moment:?} at {at}"), script.with_moment_at(at, moment)))
    })
}

fn serving(scripts: Vec<(String, Script)>) -> impl Iterator<Item = Case> {
    scripts.into_iter().map(|(name, script)| Case::new(name, script))
}

/// One case of so many.
const SAMPLE: usize = 13;

#[test]
fn every_product_is_served_as_hyper_serves_it() {
    check_all(serving(products()));
}

#[test]
fn every_product_is_served_in_the_first_half_of_grace() {
    check_all(at_each_step(products(), FIRST_HALF));
}

#[test]
fn every_product_is_served_in_the_second_half_of_grace() {
    check_all(at_each_step(products(), SECOND_HALF));
}

#[test]
fn every_product_is_finished_in_the_drain() {
    check_all(at_each_step(products(), Moment::Drain));
}

#[test]
fn every_conversation_is_served_as_hyper_serves_it() {
    check_all(serving(conversations()));
}

#[test]
fn every_conversation_is_served_in_the_first_half_of_grace() {
    check_all(at_each_step(conversations(), FIRST_HALF));
}

#[test]
fn every_conversation_is_served_in_the_second_half_of_grace() {
    check_all(at_each_step(conversations(), SECOND_HALF));
}

#[test]
fn every_conversation_is_finished_in_the_drain() {
    check_all(at_each_step(conversations(), Moment::Drain));
}

fn every_phase_over(transport: Transport) {
    let sample = || products().into_iter().step_by(SAMPLE).chain(conversations()).collect::<Vec<_>>();
    let in_a_shutdown = [FIRST_HALF, SECOND_HALF, Moment::Drain]
        .into_iter()
        .flat_map(|moment| at_each_step(sample(), moment).step_by(3));
    check_all(serving(sample()).chain(in_a_shutdown).map(|case| case.over(transport)));
}

#[test]
fn every_phase_is_the_same_over_tls() {
    every_phase_over(Transport::Tls);
}

#[test]
fn every_phase_is_the_same_over_unix_sockets() {
    every_phase_over(Transport::Unix);
}

#[test]
fn every_phase_is_the_same_in_memory() {
    every_phase_over(Transport::Memory);
}

#[test]
fn every_boolean_of_hyper_means_the_same() {
    let sample = || products().into_iter().step_by(SAMPLE).chain(conversations()).collect::<Vec<_>>();
    let cases = |index: usize| {
        let in_a_shutdown = [FIRST_HALF, SECOND_HALF, Moment::Drain]
            .into_iter()
            .flat_map(move |moment| at_each_step(sample(), moment).step_by(3));
        let named = move |case: Case| Case { name: format!("{} toggled: {}", FLAGS[index].name, case.name), ..case };
        let settings = Settings::toggling(index);
        serving(sample()).chain(in_a_shutdown).map(move |case| named(case).with(settings).over(Transport::Memory))
    };
    check_all((0..FLAGS.len()).flat_map(cases));
}
