"""What stays of a version of a report: what it told, and its entry on the utility's ledger."""

from collections.abc import Sequence
from typing import Any

from water2.domain.laboratory import LabReport
from water2.domain.water import Sample, SampleResult, SampleVerdict
from water2.rules.flags import FlagCode
from water2.rules.signs import TOO_EARLY
from water2.services.lab_reporters import Reporter
from water2.services.register import entry_data, record_act
from water2.services.work_queries import results_by_sample

ENTERED = (
    "number",
    "version",
    "organisation_id",
    "laboratory_id",
    "accreditation_number",
    "accreditation_valid_to",
    "received_on",
    "tested_on",
    "issued_on",
    "conclusion",
    "scan_sha256",
    "replaces_id",
)
_SHOWN = (
    "parameter",
    "raw",
    "value",
    "censored",
    "unit",
    "detection_limit",
    "method",
    "limit",
    "printed_limit",
    "verdict",
    "flags",
)


async def settle_report(
    reporter: Reporter, report: LabReport, samples: Sequence[Sample], reason: str | None = None
) -> None:
    """Keep what the report told, as it was judged, and enter it on the utility's ledger.

    People, the client and words of the report stay out of the entry; the scan goes in by its hash.
    """
    work = reporter.work
    await work.session.flush()
    results = await results_by_sample(work, [sample.id for sample in samples])
    report.told = [_told(report, sample, results[sample.id]) for sample in samples]
    flags = {flag for sample in samples for flag in sample.flags} & _OF_A_REPORT
    if _disagrees(report, samples):
        flags.add(FlagCode.conclusion_disagrees)
    report.flags = sorted(flags)
    data = entry_data(report, ENTERED) | {
        "samples": [sample.id for sample in samples],
        "flags": report.flags,
    }
    record_act(
        work,
        reporter.utility.ledger_id,
        "lab_report.submitted" if report.replaces_id is None else "lab_report.replaced",
        f"lab_report:{report.id}",
        data if reason is None else data | {"reason": reason},
    )


_OF_A_REPORT = {
    FlagCode.dates_out_of_order,
    *TOO_EARLY,
    FlagCode.laboratory_not_heard,
    FlagCode.accreditation_lacking,
    FlagCode.accreditation_expired,
    FlagCode.item_not_accredited,
    FlagCode.limit_plus_increment,
    FlagCode.printed_limit_differs,
    FlagCode.report_number_reused,
}


def _told(report: LabReport, sample: Sample, results: Sequence[SampleResult]) -> dict[str, Any]:
    return {
        "sample_id": sample.id,
        "verdict": sample.verdict.value,
        "results": [
            {name: getattr(one, name) for name in _SHOWN}
            for one in results
            if one.lab_report_id == report.id
        ],
    }


def _disagrees(report: LabReport, samples: Sequence[Sample]) -> bool:
    """Tell whether the report's conclusion is not what its samples add up to."""
    verdicts = {sample.verdict for sample in samples}
    if report.conclusion is SampleVerdict.passed:
        return SampleVerdict.failed in verdicts
    return report.conclusion is SampleVerdict.failed and verdicts == {SampleVerdict.passed}
