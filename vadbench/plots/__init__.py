"""Pictures of reports: display objects that hold the numbers and draw when asked, and one figure with all curves.

Matplotlib comes with the extra ``plots`` and is loaded when something is drawn.
"""

from vadbench.plots.curves import CurveDisplay, CurveKind, NamedCurve
from vadbench.plots.figure import curve_figure

__all__ = ["CurveDisplay", "CurveKind", "NamedCurve", "curve_figure"]
