import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {cruiseRooms, drawTrees, printBlock, replaceBlock} from './lint/rooms.mjs';

const root = path.resolve(import.meta.dirname, '..');
const file = path.join(root, 'ARCHITECTURE.md');

if (process.argv.includes('--help')) {
	console.log(`Usage: npm run graph

Draws which room imports which, as mermaid flowcharts, and writes them into the marked block of ARCHITECTURE.md.
\`npm run lint\` fails when that block is not what this would write.`);
} else {
	const block = printBlock(drawTrees(await cruiseRooms(root)));
	const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '# Architecture\n';
	// A document without the block gets it at its end.
	const next = replaceBlock(text, block) ?? `${text.trimEnd()}\n\n${block}\n`;
	if (next === text) {
		console.log('The room graph in ARCHITECTURE.md is true already.');
	} else {
		fs.writeFileSync(file, next);
		console.log('Wrote the room graph into ARCHITECTURE.md.');
	}
}
