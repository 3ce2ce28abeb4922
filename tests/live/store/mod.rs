//! One conformance suite, three stores. PostgreSQL is asked at `ATTUNE_TEST_POSTGRES`, or on this machine; where there is
//! none, its tests say so and pass.

mod customers;
mod deliveries;
pub(crate) mod fixture;
mod held;
mod records;
mod schema;
mod upkeep;

/// Runs each check on each store.
macro_rules! conforms {
    ($($check:path => $name:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let store = attune::storage::memory::MemoryStore::new();
                $check(std::sync::Arc::new(store)).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let file = crate::store::fixture::sqlite().await;
                $check(std::sync::Arc::clone(&file.store) as _).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let Some(database) = crate::store::fixture::postgres().await else { return };
                $check(std::sync::Arc::clone(&database.store) as _).await;
                database.drop().await;
            })+
        }
    };
}

conforms! {
    super::records::an_interaction_is_kept_once => an_interaction_is_kept_once,
    super::records::the_second_of_two_equal_ones_is_not_new => the_second_of_two_equal_ones_is_not_new,
    super::records::late_interactions_are_placed_right => late_interactions_are_placed_right,
    super::records::a_decision_sees_the_newest_and_no_more => a_decision_sees_the_newest_and_no_more,
    super::records::all_that_was_read_comes_back => all_that_was_read_comes_back,
    super::records::many_at_once_are_each_kept_once => many_at_once_are_each_kept_once,
    super::customers::a_crm_has_the_last_word => a_crm_has_the_last_word,
    super::customers::the_list_is_filtered_and_paged => the_list_is_filtered_and_paged,
    super::customers::a_timeline_is_paged_newest_first => a_timeline_is_paged_newest_first,
    super::customers::all_that_is_held_of_a_customer_can_be_told => all_that_is_held_of_a_customer_can_be_told,
    super::customers::tenants_do_not_see_each_other => tenants_do_not_see_each_other,
    super::customers::the_log_of_signals_goes_on_where_a_reader_was => the_log_of_signals_goes_on_where_a_reader_was,
    super::customers::no_signal_appears_behind_a_reader => no_signal_appears_behind_a_reader,
    super::held::all_that_is_held_of_a_customer_is_given_out => all_that_is_held_of_a_customer_is_given_out,
    super::held::the_signals_of_one_customer_are_paged => the_signals_of_one_customer_are_paged,
    super::deliveries::a_customers_events_leave_in_order => a_customers_events_leave_in_order,
    super::deliveries::a_failed_event_holds_back_its_customer_alone => a_failed_event_holds_back_its_customer_alone,
    super::deliveries::what_was_given_up_can_be_sent_again => what_was_given_up_can_be_sent_again,
    super::deliveries::what_a_dead_process_had_taken_is_taken_again => what_a_dead_process_had_taken_is_taken_again,
    super::deliveries::a_late_word_on_what_another_has_settled_changes_nothing => a_late_word_on_what_another_has_settled_changes_nothing,
    super::deliveries::two_that_claim_at_once_keep_the_order => two_that_claim_at_once_keep_the_order,
    super::upkeep::an_erased_customer_leaves_a_receipt_and_nothing_else => an_erased_customer_leaves_a_receipt_and_nothing_else,
    super::upkeep::what_arrives_late_for_an_erased_customer_is_dropped => what_arrives_late_for_an_erased_customer_is_dropped,
    super::upkeep::what_has_outlived_its_time_goes => what_has_outlived_its_time_goes,
    super::upkeep::the_audit_log_is_a_chain => the_audit_log_is_a_chain,
}
