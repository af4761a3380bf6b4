/** The page: complete, safe whatever a name holds, and without any need of a script. */

import {createHash} from 'node:crypto';
import axe from 'axe-core';
import test from 'ava';
import fc from 'fast-check';
import {printHtml, rawMax} from '../../../../src/report/formats/html.js';
import {pageStyle, pageStyleHash} from '../../../../src/report/formats/html-style.js';
import {drawablesOf, printOneMermaid, printOneSvg} from '../../../../src/report/formats/one-connection.js';
import {resultsOfReport, resultsOfRuns} from '../../../../src/report/run/results.js';
import type {Results} from '../../../../src/report/formats/results.js';
import {faultsOfDrawings, usePage} from '../../../helpers/browser.js';
import {sketchConnection} from '../../../helpers/connections.js';
import {isLeftOut} from '../../../helpers/left-out.js';
import {sketchReport} from '../../../helpers/reports.js';
import {anyResults} from '../../../helpers/results.js';
import {mixed} from '../../../helpers/runs.js';

const hostile = '</style></title></svg><script>document.title="taken"</script><img src=x onerror="document.title=\'taken\'">';

function resultsWith(name: string): Results {
	return {
		name,
		suites: [{
			name,
			about: name,
			properties: {[name]: name},
			cases: [{
				name, outcome: {kind: 'fail', message: name, reasons: [name]}, expected: name, observed: name, notes: [[name, name]], place: {file: name}, pictures: () => [{group: '', caption: name, connection: sketchConnection({name})}],
			}],
			hints: [name],
			durationMs: 1,
		}],
		durationMs: 1,
	};
}

test('the policy of the page allows its one style and nothing else', t => {
	t.is(pageStyleHash, createHash('sha256').update(pageStyle).digest('base64'), 'Write this into html-style.ts.');
	const html = printHtml(resultsOfReport(sketchReport()));
	t.true(html.includes(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${pageStyleHash}'; base-uri 'none'; form-action 'none'">`));
	t.true(html.includes(`<style>${pageStyle}</style>`));
	t.notRegex(html, /<script|\bstyle=|\bon\w+=|<link|<img|<iframe|\b(?:href|src)=(?!"?#)/u);
});

test('names from users are never markup', t => {
	fc.assert(fc.property(anyResults, results => {
		const html = printHtml(results);
		t.is([...html.matchAll(/<article /gu)].length, [...html.matchAll(/<\/article>/gu)].length);
	}), {numRuns: 30});
	const html = printHtml(resultsWith(hostile), {raw: hostile});
	t.notRegex(html, /<script|<img|onerror="/u);
	t.is([...html.matchAll(/<\/style>/gu)].length, 1);
});

test('the result comes first, failed cases have their reasons, and each case has its drawing', t => {
	const html = printHtml(resultsOfRuns(mixed));
	t.regex(html, /<h1><span class="fail">✖<\/span> testbed run: 8 passed, 2 failed, 1 inconclusive<\/h1>/u);
	t.regex(html, /<ul class="reasons fail"><li>/u);
	const six = printHtml(resultsOfReport(sketchReport()));
	t.is([...six.matchAll(/<figure id=/gu)].length, 6);
	t.regex(six, /<summary>Every rule that was tested, and why<\/summary>/u);
	t.regex(six, /<li>ISTIO_OUTPUT#1 no: -s 127\.0\.0\.6\/32: the source is 10\.244\.1\.10/u);
});

test('equal drawings are drawn once', t => {
	const results = resultsOfReport(sketchReport({ids: ['2']}));
	const [suite] = results.suites;
	const html = printHtml({...results, suites: [suite!, {...suite!, name: 'again'}]});
	t.is([...html.matchAll(/<figure id=/gu)].length, 1);
	t.regex(html, /The kernel did the same with it as in <a href="#d1">this drawing<\/a>/u);
});

test('a long page says once what legs met, and says where', t => {
	const results = resultsOfReport(sketchReport({ids: ['2']}));
	const [suite] = results.suites;
	const [first] = suite!.cases;
	const {connection} = first!.pictures!()[0]!;
	const copies = Array.from({length: 20}, (_, index) => ({...first!, name: `copy ${index}`, pictures: () => [{group: '', caption: '', connection: {...connection, title: `copy ${index}`}}]}));
	const html = printHtml({...results, suites: [{...suite!, cases: copies}]});
	t.is([...html.matchAll(/<li>ISTIO_OUTPUT#1 no: /gu)].length, 2);
	t.is([...html.matchAll(/The same rules were tested, with the same answers, as in <a href="#d1">leg 1 of this drawing<\/a>/gu)].length, 19);
	t.is([...html.matchAll(/as in <a href="#d1">leg 2 of this drawing<\/a>/gu)].length, 19);
	// On a short page, each drawing stands for itself.
	const short = printHtml({...results, suites: [{...suite!, cases: copies.slice(0, 2)}]});
	t.is([...short.matchAll(/<li>ISTIO_OUTPUT#1 no: /gu)].length, 4);
});

test('quotes are left out only where HTML does not need them, and never in a text', t => {
	const html = printHtml(resultsWith('a="b" c=\'d\' e=f/> <g x="1"/>'));
	t.true(html.includes('a=&quot;b&quot; c=\'d\' e=f/&gt; &lt;g x=&quot;1&quot;/&gt;'));
	const tags = [...html.matchAll(/<[a-z]+\d?(?<attributes>(?: [\w:-]+(?:=(?:"[^"]*"|[\w#.:-]+))?)*)(?: ?\/)?>/gu)];
	t.is(tags.length, [...html.matchAll(/<[a-z]/gu)].length, 'Each tag has only attributes with quotes, or without and with plain values.');
	t.true(tags.some(({groups}) => / x=\d/u.test(groups!['attributes']!)));
	t.notRegex(html, /=[\w#.:-]+\/>/u);
});

test('raw data is folded, and left out if it is too long', t => {
	t.regex(printHtml(resultsOfRuns(mixed), {raw: '{"a":"<"}'}), /<pre tabindex="0">\{&quot;a&quot;:&quot;&lt;&quot;\}<\/pre>/u);
	t.regex(printHtml(resultsOfRuns(mixed), {raw: 'x'.repeat(rawMax + 1)}), /has 200001 characters, too many for this page/u);
});

test('the page of the six types is below 300 kB', t => {
	t.true(printHtml(resultsOfReport(sketchReport({families: ['ipv4', 'ipv6']})), {raw: 'x'.repeat(60_000)}).length < 300_000);
});

test('one connection: its name distinguishes it from the others', t => {
	const results = resultsOfReport(sketchReport({ids: ['2', '4']}));
	const all = drawablesOf(results);
	t.deepEqual(all.map(({name}) => name), ['type 2 local-to-remote, ipv4', 'type 4 local-to-local, ipv4']);
	t.regex(printOneSvg(all[0]!.connection), /^<svg /u);
	t.regex(printOneMermaid(all[0]!.connection), /^flowchart TD\n/u);
});

const pages: ReadonlyArray<readonly [title: string, html: () => string]> = [
	['six types', () => printHtml(resultsOfReport(sketchReport({ids: ['1', '2', '4']})), {raw: '{}'})],
	['what failed', () => printHtml(resultsOfRuns(mixed))],
	['hostile names', () => printHtml(resultsWith(hostile), {raw: hostile})],
];

test.serial('in a browser: axe finds no problem, no text overlaps, and no script runs', async t => {
	if (isLeftOut(t, {program: 'chromium'})) {
		return;
	}

	t.timeout(120_000);
	for (const [title, html] of pages) {
		for (const colorScheme of ['light', 'dark'] as const) {
			const {name, faults, violations} = await usePage(async page => { // eslint-disable-line no-await-in-loop -- A browser after the other: two would not be quicker.
				await page.setContent(html());
				const drawn = html().includes('<figure') ? await faultsOfDrawings(page) : [];
				await page.evaluate(axe.source);
				const found = await page.evaluate('axe.run(document, {resultTypes: ["violations"]})');
				return {name: await page.title(), faults: drawn, violations: (found as axe.AxeResults).violations.map(({id, nodes}) => `${id}: ${nodes.map(node => node.html).slice(0, 3).join(' ')}`)};
			}, {colorScheme, bypassCSP: true});
			t.deepEqual(violations, [], `${title}, ${colorScheme}`);
			t.deepEqual(faults, [], title);
			t.not(name, 'taken');
		}
	}
});
