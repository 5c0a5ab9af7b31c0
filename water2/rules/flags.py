"""Every flag there is: something to look at, never a verdict. Each has its words at the edges."""

from enum import StrEnum


class FlagCode(StrEnum):
    """What a record, a row of a file or a facility may be marked with."""

    # how a record came to be
    late_entry = "late_entry"
    late_entry_without_reason = "late_entry_without_reason"
    entered_long_after = "entered_long_after"
    dates_out_of_order = "dates_out_of_order"
    # who did the work, and whether anybody was sent
    person_unfit = "person_unfit"
    unknown_person = "unknown_person"
    no_people = "no_people"
    not_started = "not_started"
    not_assigned = "not_assigned"
    certificate_number_shared = "certificate_number_shared"
    # the day a work order is planned on, or is to be
    planned_past_due = "planned_past_due"
    planned_on_holiday = "planned_on_holiday"
    holidays_not_published = "holidays_not_published"
    # how a cleaning was done
    batch_made_after_use = "batch_made_after_use"
    batch_expired = "batch_expired"
    contact_time_short = "contact_time_short"
    impossible_flow = "impossible_flow"
    refill_past_target = "refill_past_target"
    cleaning_without_outage = "cleaning_without_outage"
    # samples and their reports
    sample_undated = "sample_undated"
    sampled_before_cleaning_ended = "sampled_before_cleaning_ended"
    sampled_long_after_cleaning = "sampled_long_after_cleaning"
    no_cleaning_on_record = "no_cleaning_on_record"
    outlet_without_tank = "outlet_without_tank"
    plate_count_too_early = "plate_count_too_early"
    accreditation_lacking = "accreditation_lacking"
    accreditation_expired = "accreditation_expired"
    report_number_reused = "report_number_reused"
    conclusion_disagrees = "conclusion_disagrees"
    # outages and their notices
    approval_missing = "approval_missing"
    short_notice = "short_notice"
    water_points_missing = "water_points_missing"
    emergency_supply_missing = "emergency_supply_missing"
    overran = "overran"
    published_late = "published_late"
    estimate_passed = "estimate_passed"
    update_due = "update_due"
    notice_impossible_unexplained = "notice_impossible_unexplained"
    authority_report_missing = "authority_report_missing"
    households_not_told = "households_not_told"
    households_since = "households_since"
    window_passed = "window_passed"
    overlapping = "overlapping"
    order_on_another_day = "order_on_another_day"
    hotline_missing = "hotline_missing"
    poster_recorded_late = "poster_recorded_late"
    poster_without_photo = "poster_without_photo"
    tank_not_isolable = "tank_not_isolable"
    # inspections
    inspection_undated = "inspection_undated"
    inspected_in_another_year = "inspected_in_another_year"
    # facilities and their tanks
    out_of_scope = "out_of_scope"
    before_acceptance = "before_acceptance"
    not_handed_over = "not_handed_over"
    not_in_use = "not_in_use"
    no_manager = "no_manager"
    no_contact = "no_contact"
    no_meter = "no_meter"
    no_volume = "no_volume"
