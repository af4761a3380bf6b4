import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const folder = path.join(root, 'schemas');

if (process.argv.includes('--help')) {
	console.log(`Usage: npm run schemas

Writes the JSON Schema of every document that the testbed prints or reads to schemas/, from the schemas that the
program uses to check the data. A unit test fails if a file there is out of date.`);
} else {
	const {documentSchemas, printJsonSchema} = await import(path.join(root, 'dist/src/report/schemas.js'));
	const {meshes} = await import(path.join(root, 'dist/src/meshes.js'));
	const {configSchema} = await import(path.join(root, 'dist/testbed/cli/config/schema.js'));
	const {programOf} = await import(path.join(root, 'dist/testbed/cli/main.js'));
	const texts = new Map(Object.entries({...documentSchemas(meshes), config: await configSchema(programOf())}).map(([name, schema]) => [`${name}.schema.json`, printJsonSchema(schema)]));
	for (const name of fs.readdirSync(folder)) {
		if (name.endsWith('.schema.json') && !texts.has(name)) {
			fs.rmSync(path.join(folder, name));
			console.log(`Removed schemas/${name}: this document no longer exists.`);
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
		console.log('The files in schemas/ are already up to date.');
	}
}
