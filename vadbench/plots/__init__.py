"""Pictures of reports: display objects that hold the numbers and draw when asked, and one figure with all curves.

Matplotlib comes with the extra ``plots`` and is loaded when something is drawn.
"""

from vadbench.plots.bars import GroupedBarsDisplay
from vadbench.plots.clip_bars import ClipBarsDisplay
from vadbench.plots.clip_timeline import Timeline
from vadbench.plots.curves import CurveDisplay, CurveKind, NamedCurve
from vadbench.plots.display_file import Display, write_displays
from vadbench.plots.figure import curve_figure
from vadbench.plots.frame_f1 import frame_pixel_f1
from vadbench.plots.interval_plot import IntervalDisplay, IntervalRow
from vadbench.plots.sensitivity import SensitivityDisplay
from vadbench.plots.timeline import TimelineDisplay

__all__ = [
    "ClipBarsDisplay",
    "CurveDisplay",
    "CurveKind",
    "Display",
    "GroupedBarsDisplay",
    "IntervalDisplay",
    "IntervalRow",
    "NamedCurve",
    "SensitivityDisplay",
    "Timeline",
    "TimelineDisplay",
    "curve_figure",
    "frame_pixel_f1",
    "write_displays",
]
