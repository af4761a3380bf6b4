import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {cruiseRooms, drawTrees, printBlock, replaceBlock} from './lint/rooms.mjs';

const root = path.resolve(import.meta.dirname, '..');
const file = path.join(root, 'ARCHITECTURE.md');

if (process.argv.includes('--help')) {
	console.log(`Usage: npm run graph

Writes mermaid flowcharts that show which room imports which into the marked block of ARCHITECTURE.md.
\`npm run lint\` fails if that block is out of date.`);
} else {
	const block = printBlock(drawTrees(await cruiseRooms(root)));
	const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '# Architecture\n';
	// If the document has no block, it is appended.
	const next = replaceBlock(text, block) ?? `${text.trimEnd()}\n\n${block}\n`;
	if (next === text) {
		console.log('The room graph in ARCHITECTURE.md is already up to date.');
	} else {
		fs.writeFileSync(file, next);
		console.log('Wrote the room graph to ARCHITECTURE.md.');
	}
}
