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
        margin_share: kept around the outline, as a share of the page's shorter side, so that no letter is lost.
        max_edge_sigma_px: half width (Gaussian sigma) of the edges of print; above it a page is blurred.
        max_motion_ratio: how much wider edges may be in one direction than across it.
        min_paper_level: luma of paper (the 90th percentile); below it the page is dark.
        min_paper_level_bad: below this it is too dark to keep.
        max_clipped_share: share of the page at full white that is still accepted.
        max_clipped_share_bad: above this, print is lost in white.
        max_skew_deg: how far text lines of the finished page may lean.
        max_straightened_deg: a frame turned further than this is told to the operator (news, not work).
    """

    name: str
    min_ppi: float
    jpeg_quality: int = 95
    margin_share: float = 0.006
    max_edge_sigma_px: float = 2.2
    max_motion_ratio: float = 1.7
    min_paper_level: float = 150.0
    min_paper_level_bad: float = 105.0
    max_clipped_share: float = 0.02
    max_clipped_share_bad: float = 0.30
    max_skew_deg: float = 1.5
    max_straightened_deg: float = 3.0


_ALL: Final = (
    Profile("sach-in-300", min_ppi=294.0),  # printed books: 300 ppi less the 2 % that FADGI 3 star allows
    Profile("quy-hiem-400", min_ppi=396.0, jpeg_quality=97),  # rare books: 400 ppi less 1 %, FADGI 4 star
    Profile("van-ban-200", min_ppi=200.0),  # administrative papers: Decree 30/2020, appendix I
    Profile("bao-200", min_ppi=190.0),  # newspapers, taken in parts: 200 ppi less 5 %
)
PROFILES: Final = MappingProxyType({profile.name: profile for profile in _ALL})
DEFAULT_PROFILE: Final = _ALL[0]
