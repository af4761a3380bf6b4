import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {helpOfEveryCommand, printReference, referenceFile} from './checks/reference.mjs';

const root = path.resolve(import.meta.dirname, '..');

if (process.argv.includes('--help')) {
	console.log(`Usage: npm run reference

Writes ${referenceFile} from the help of every command.
A unit test fails when that file is not what this would write.`);
} else {
	fs.writeFileSync(path.join(root, referenceFile), printReference(await helpOfEveryCommand(root)));
	console.log(`Wrote ${referenceFile}.`);
}
