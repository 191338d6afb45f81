// Brings a page to life. Every page works without it; each module looks for its own elements and ignores others.

import { startBoxes } from "./boxes.js";
import { startCameras } from "./cameras.js";
import { startConnection } from "./connection.js";
import { startFilters } from "./filters.js";
import { startForms } from "./forms.js";
import { startHeat } from "./heat.js";
import { startKeys } from "./keys.js";
import { startLightbox } from "./lightbox.js";
import { startLive } from "./live.js";
import { startMarks } from "./marks.js";
import { startMoving } from "./moving.js";
import { startPush } from "./push.js";
import { startReveal } from "./reveal.js";
import { startSelection } from "./select.js";
import { startStrip } from "./strip.js";
import { startTheme } from "./theme.js";
import { startTimes } from "./times.js";
import { startUndo } from "./undo.js";
import { startUpload } from "./upload.js";
import { startVisits } from "./visits.js";
import { startZones } from "./zones.js";

startConnection();
startTimes();
startTheme();
startReveal();
startBoxes();
startFilters();
startForms();
startSelection(); // before the viewer: while one chooses, a click opens nothing
startLightbox();
startLive();
startCameras();
startMoving();
startStrip();
startUpload();
startPush();
startMarks();
startVisits();
startHeat();
startZones();
startUndo();
startKeys();
