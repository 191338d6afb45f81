// Brings a page to life. Every page works without it; each module looks for its own elements and ignores others.

import { startBoxes } from "./boxes.js";
import { startForms } from "./forms.js";
import { startKeys } from "./keys.js";
import { startLightbox } from "./lightbox.js";
import { startLive } from "./live.js";
import { startMoving } from "./moving.js";
import { startPush } from "./push.js";
import { startTimes } from "./times.js";
import { startUpload } from "./upload.js";
import { startZones } from "./zones.js";

startTimes();
startBoxes();
startForms();
startLightbox();
startLive();
startMoving();
startUpload();
startPush();
startZones();
startKeys();

// A link to other weeks leads back into its sheet; on a wide page there is no sheet.
const sheet = location.hash === "#when" && document.getElementById("when");
if (sheet && getComputedStyle(sheet).display === "none") sheet.showPopover();
