// The light pages: the pedal walks through them too.

import { followStation } from "./walk.js";

followStation(-1, () => {});
