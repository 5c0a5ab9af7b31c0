"""The proof of an outage, for whoever asks: an inspector, a court, a resident."""

from fastapi import APIRouter, Request, Response

from water2.api.callers import Reading
from water2.api.outage_proof_shapes import ProofAnswer
from water2.api.shapes import Id
from water2.api.state import state_of
from water2.services.ledger_signing import verifier_key
from water2.services.outages.proof import prove_outage
from water2.services.outages.queries import outage_by

router = APIRouter(prefix="/outages", tags=["outages"])


@router.get("/{id}/proof", response_model=ProofAnswer)
async def show_proof(request: Request, work: Reading, id_: Id) -> Response:
    """Prove an outage: its notices, who was told when and by what, and the ledger's receipts.

    Addresses are masked and households bear random ids, so that it may be handed to anyone.
    """
    outage = await outage_by(work, id_)
    key = verifier_key(state_of(request).settings, outage.utility_id)
    proof = ProofAnswer.of(await prove_outage(work, outage.id), key, work.now)
    # as it is: FastAPI would look at each household once more
    return Response(proof.model_dump_json(), media_type="application/json")
