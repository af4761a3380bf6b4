import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const folder = path.join(root, 'schemas');

if (process.argv.includes('--help')) {
	console.log(`Usage: npm run schemas

Writes the JSON Schema of every document that the testbed prints or takes into schemas/, from the schemas that
hold the data in the program. A unit test fails when a file there is not what this would write.`);
} else {
	const {documentSchemas, printJsonSchema} = await import(path.join(root, 'dist/src/report/schemas.js'));
	const texts = new Map(Object.entries(documentSchemas()).map(([name, schema]) => [`${name}.schema.json`, printJsonSchema(schema)]));
	for (const name of fs.readdirSync(folder)) {
		if (name.endsWith('.schema.json') && !texts.has(name)) {
			fs.rmSync(path.join(folder, name));
			console.log(`Removed schemas/${name}: there is no such document any more.`);
		}
	}

	let written = 0;
	for (const [name, text] of texts) {
		const file = path.join(folder, name);
		if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) {
			fs.writeFileSync(file, text);
			console.log(`Wrote schemas/${name}.`);
			written++;
		}
	}

	if (written === 0) {
		console.log('The files in schemas/ are true already.');
	}
}
