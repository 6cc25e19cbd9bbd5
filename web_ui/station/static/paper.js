// The light pages: the pedal walks through them too.

import { followScanner } from "./scanner.js";
import { followStation } from "./walk.js";

followScanner();
followStation(-1, () => {});
