/**
The page as files: its markup, its script from the bundle, its style with that of the drawings.
*/

import {readFileSync} from 'node:fs';
import path from 'node:path';
import {drawingStyle, drawingSchemes} from '../../src/drawing/style.js';
import {TestbedError} from '../errors.js';
import {packageRoot} from '../system/package-root.js';

/** What a browser is given. */
export type PageFiles = {readonly html: string; readonly script: string; readonly style: string; readonly icon: string};

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>testbed</title>
<link rel="stylesheet" href="/page.css">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<script type="module" src="/page.js"></script>
</head>
<body>
<div id="page"><p class="loading">The page is loading. It needs JavaScript.</p></div>
</body>
</html>
`;

const icon = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M9 3v10h14v16" fill="none" stroke="#065bdb" stroke-width="5" stroke-linejoin="round"/><circle cx="16" cy="13" r="6" fill="#c73905"/></svg>';

/**
Reads them.

@throws {TestbedError} MACHINE where they were not built.
*/
export function loadPageFiles(folder = path.join(packageRoot, 'dist/bin')): PageFiles {
	const read = (name: string): string => {
		try {
			return readFileSync(path.join(folder, name), 'utf8');
		} catch (error) {
			throw new TestbedError('MACHINE', {message: `The page is not built: ${path.join(folder, name)} cannot be read.`, hint: 'Build it: npm run build', cause: error});
		}
	};

	return {html, icon, script: read('page.js'), style: `${read('page.css')}${drawingStyle}${drawingSchemes}`};
}
