"""Pictures of reports: display objects that hold the numbers and draw when asked, and one figure with all curves.

Matplotlib comes with the extra ``plots`` and is loaded when something is drawn.
"""

from vadbench.plots.bars import GroupedBarsDisplay
from vadbench.plots.curves import CurveDisplay, CurveKind, NamedCurve
from vadbench.plots.display_file import Display, write_displays
from vadbench.plots.figure import curve_figure
from vadbench.plots.frame_f1 import frame_pixel_f1
from vadbench.plots.sensitivity import SensitivityDisplay
from vadbench.plots.timeline import Timeline, TimelineDisplay

__all__ = [
    "CurveDisplay",
    "CurveKind",
    "Display",
    "GroupedBarsDisplay",
    "NamedCurve",
    "SensitivityDisplay",
    "Timeline",
    "TimelineDisplay",
    "curve_figure",
    "frame_pixel_f1",
    "write_displays",
]
