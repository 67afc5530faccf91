"""Is this data what you think it is? Detectors of faults that would make a score be about something else.

One family of detectors a file; each is a small function whose docstring gives its threshold and why it is that.
"""

from __future__ import annotations

from fusionbench.integrity.finding import EFFECTS as EFFECTS
from fusionbench.integrity.finding import Finding as Finding
from fusionbench.integrity.inspection import Report as Report
from fusionbench.integrity.inspection import check_paths as check_paths
from fusionbench.integrity.output import check_target as check_target
from fusionbench.integrity.output import write as write
