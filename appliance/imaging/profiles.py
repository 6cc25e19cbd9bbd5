"""Limits that pages are held against. Each has an origin; `docs/imaging.md` tells how they were measured."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Profile:
    """What a page must be for one kind of material.

    Attributes:
        name: as it is written into documents.
        min_ppi: least measured resolution; judged once per job, never per page.
        jpeg_quality: of page masters.
        margin_share: ground kept around the outline, as a share of the page's shorter side. Whoever reads print later
            takes a strip of ground for a frame or for letters.
        min_confidence: how much of a page's weakest edge must be seen; below it the frame is passed whole.
        max_edge_sigma_px: widest edges of print on a station without calibration and a job without a run.
        max_softness: width of edges in their sharper direction, more where print is faint, on such a station.
        max_motion_ratio: edges wider than this in one direction than in the other are motion, not defocus.
        max_motion_ratio_known: the same once the station's or the job's own sharpness is known.
        min_paper_level: luma of paper; below it the page is dark.
        min_paper_level_bad: below this it is too dark to keep.
        max_white_share: share of the page at full white that is still accepted.
        max_glare_share: the same of one patch while most of the page is not white.
        min_ink_share: a page with less ink than this is blank.
        max_skew_deg: how far lines of print of the finished page may lean.
        max_straightened_deg: a page turned further than this is told to the operator.
        even_light: whether shadows and the lamp's fall-off are taken off printed pages.
    """

    name: str
    min_ppi: float
    jpeg_quality: int = 95
    margin_share: float = 0.0
    min_confidence: float = 0.35
    max_edge_sigma_px: float = 2.0
    max_softness: float = 1.52
    max_motion_ratio: float = 1.6
    max_motion_ratio_known: float = 1.25
    min_paper_level: float = 150.0
    min_paper_level_bad: float = 100.0
    max_white_share: float = 0.02
    max_glare_share: float = 0.004
    min_ink_share: float = 0.002
    max_skew_deg: float = 1.5
    max_straightened_deg: float = 3.0
    even_light: bool = True


_ALL: Final = (
    Profile("sach-in-300", min_ppi=294.0),  # printed books: 300 ppi less the 2 % that FADGI's three stars allow
    # rare books: 400 ppi less 1 %, FADGI's four stars; stains and foxing are theirs, so their tone is never touched,
    # and the very edge of the leaf is part of what is kept
    Profile("quy-hiem-400", min_ppi=396.0, jpeg_quality=97, margin_share=0.006, even_light=False),
    Profile("van-ban-200", min_ppi=200.0),  # administrative papers: Decree 30/2020, appendix I
    Profile("bao-200", min_ppi=190.0),  # newspapers, taken in parts: 200 ppi less 5 %
)
PROFILES: Final = MappingProxyType({profile.name: profile for profile in _ALL})
DEFAULT_PROFILE: Final = _ALL[0]
