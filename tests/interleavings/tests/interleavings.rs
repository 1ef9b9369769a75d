//! Runs the models.

use graceful_interleavings::{models, server_models};

#[test]
fn emptied_sees_what_the_members_did() {
    models::emptied_sees_what_the_members_did();
}

#[test]
fn a_group_is_empty_once() {
    models::a_group_is_empty_once();
}

#[test]
fn a_member_that_is_handed_over_is_waited_for() {
    models::a_member_that_is_handed_over_is_waited_for();
}

#[test]
fn the_last_member_is_named() {
    models::the_last_member_is_named();
}

#[test]
fn what_enters_as_the_list_is_made_is_on_it() {
    models::what_enters_as_the_list_is_made_is_on_it();
}

#[test]
fn tasks_end_while_they_are_aborted() {
    models::tasks_end_while_they_are_aborted();
}

#[test]
fn an_observer_that_is_added_while_a_phase_begins_sees_it() {
    models::an_observer_that_is_added_while_a_phase_begins_sees_it();
}

#[test]
fn the_list_of_observers_is_whole() {
    models::the_list_of_observers_is_whole();
}

#[test]
fn a_drained_server_has_seen_its_connections_end() {
    server_models::a_drained_server_has_seen_its_connections_end();
}

#[test]
fn a_full_server_is_woken_by_the_first_end() {
    server_models::a_full_server_is_woken_by_the_first_end();
}

#[test]
fn a_full_server_that_drains_is_woken_again() {
    server_models::a_full_server_that_drains_is_woken_again();
}

#[test]
fn a_starved_server_is_woken_by_any_end() {
    server_models::a_starved_server_is_woken_by_any_end();
}

#[test]
fn a_sweep_sees_each_client_that_stops() {
    server_models::a_sweep_sees_each_client_that_stops();
}

#[test]
fn a_sweep_sees_a_client_whose_connection_need_not_request_it() {
    server_models::a_sweep_sees_a_client_whose_connection_need_not_request_it();
}

#[test]
fn sweeps_are_requested_once() {
    server_models::sweeps_are_requested_once();
}
