/**
The drawable connections of a case.
*/

import type {Connection} from '../../drawing/connection.js';

/** One connection to draw. `caption` distinguishes it from other drawings of the same case (`before`, `after`) and is empty if there is only one. Pictures of one `group` are placed side by side: the same packet through two rule sets. */
export type Picture = {readonly group: string; readonly caption: string; readonly connection: Connection};
