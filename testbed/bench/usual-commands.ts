/**
Measures the commands that people run every day for `npm run bench`, with `--old FOLDER` in turn with the build in that folder. Commands on large rule sets are in many-rules.ts.
*/

import path from 'node:path';
import {compareCommands, headingOfRows, type Comparison, type Row} from './compared-commands.js';

const optionSets = ['release:all', 'release:all --redirect-dns', 'release:all -m TPROXY', 'release:all --redirect-dns --capture-all-dns --drop-invalid'];

const rows: readonly Row[] = [
	{name: 'six types', words: () => ['run'], goal: '0.25 s'},
	{name: 'all scenarios', words: ({root}) => ['run', path.join(root, 'scenarios')], goal: '4 s, 2 ×'},
	{
		name: 'consecutive releases', words: () => ['diff', '--consecutive', '--since', '1.10', ...optionSets], formerly: {'--consecutive': '--neighbours'}, goal: '12 s',
	},
	{name: 'mutate, all', words: () => ['mutate', 'release:1.30'], goal: '15 s, 6 ×'},
	{name: 'mutate, DNS, 60', words: () => ['mutate', 'release:1.30 --redirect-dns', '--sample', '60'], goal: '20 s, 7 ×'},
	{name: 'mutate, complete', words: () => ['mutate', 'release:1.30', '--cases', 'complete'], goal: '30 ms for each'},
];

/** Measures and returns the lines. */
export async function measureUsualCommands(options: Comparison): Promise<readonly string[]> {
	return [headingOfRows('usual commands', options), ...await compareCommands(rows, options)];
}
