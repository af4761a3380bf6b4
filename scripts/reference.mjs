import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {manFolder, writeManPages} from './checks/man.mjs';
import {helpOfEveryCommand, printReference, referenceFile} from './checks/reference.mjs';

const root = path.resolve(import.meta.dirname, '..');

if (process.argv.includes('--help')) {
	console.log(`Usage: npm run reference

Writes ${referenceFile} and the man pages in ${manFolder}/ from the help of every command.
A unit test fails if one of them is out of date.`);
} else {
	const helps = await helpOfEveryCommand(root);
	fs.writeFileSync(path.join(root, referenceFile), printReference(helps));
	console.log(`Wrote ${referenceFile} and ${writeManPages(root, helps)} man pages.`);
}
