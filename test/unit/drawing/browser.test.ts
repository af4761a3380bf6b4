import test from 'ava';
import type {Connection} from '../../../src/drawing/connection.js';
import {layOut} from '../../../src/drawing/lay-out.js';
import {printSvg} from '../../../src/drawing/svg.js';
import {pictureOfResult} from '../../../src/report/pictures/pictures.js';
import {faultsOfDrawings, usePage} from '../../helpers/browser.js';
import {sketchConnection} from '../../helpers/connections.js';
import {isLeftOut} from '../../helpers/left-out.js';
import {sketchReport} from '../../helpers/reports.js';

const long = 'a-chain-with-a-name-as-long-as-nft-takes-it-which-is-more-than-iptables-would'.repeat(2).slice(0, 128);
const sketches: ReadonlyArray<readonly [title: string, connection: Connection]> = [
	['one rule', sketchConnection({rules: 1, legs: 1})],
	['200 rules that were asked', sketchConnection({rules: 200})],
	['200 rules, most of which nobody met', sketchConnection({rules: 200, asked: 3})],
	['six legs', sketchConnection({legs: 6})],
	['nine legs and a loop', sketchConnection({legs: 9, rules: 30})],
	['a name as long as can be', sketchConnection({name: long, legs: 4})],
	['a name in another script', sketchConnection({name: '鎖'.repeat(40), legs: 2})],
	['an IPv6 address of full length', sketchConnection({address: '[2001:0db8:1234:5678:9abc:def0:1234:5678]', legs: 3})],
	['dropped', sketchConnection({end: 'dropped'})],
	['nobody there', sketchConnection({end: 'nobody', legs: 1})],
	['unknown', sketchConnection({end: 'unknown', legs: 5})],
	...['release:1.31', 'release:1.31 --redirect-dns', 'release:1.31 -m TPROXY'].flatMap(input => {
		const report = sketchReport({input, families: ['ipv4', 'ipv6']});
		return report.types.flatMap(result => pictureOfResult(result, report.loaded).map(({connection}) => [`${input}, ${connection.title}`, connection] as const));
	}),
];

test('in a browser nothing of a drawing overlaps or is cut, wide or narrow', async t => {
	if (isLeftOut(t, {program: 'chromium'})) {
		return;
	}

	t.timeout(120_000);
	const svgs = [false, true].flatMap(isNarrow => sketches.map(([, connection], index) => printSvg(layOut(connection, {isNarrow}), {id: `d${index}${isNarrow ? 'n' : ''}`})));
	t.deepEqual(await usePage(async page => {
		await page.setContent(svgs.join('\n'));
		return faultsOfDrawings(page);
	}, {viewport: {width: 1100, height: 1200}}), []);
});

for (const [fault, spoil, expected] of [
	['two texts in one place', (svg: string) => svg.replace(/(<text class="y0 ink") x="20" y="38">/u, '$1 x="20" y="62">'), /overlap/u],
	['a text that leaves the drawing', (svg: string) => svg.replace('x="20" y="38"', 'x="900" y="38"'), /leaves the drawing/u],
	['a text that leaves its box', (svg: string) => svg.replaceAll(/(<rect class="stand" x="[\d.]+" y="[\d.]+") width="[\d.]+"/gu, '$1 width="50"'), /leaves its box/u],
	['a line through a text', (svg: string) => svg.replace('</svg>', '<path class="track l0" d="M20 33h80"/></svg>'), /a line runs through/u],
	['no drawing', () => '<p>nothing</p>', /no drawing/u],
] as const) {
	test.serial(`goes red: ${fault}`, async t => {
		if (isLeftOut(t, {program: 'chromium'})) {
			return;
		}

		t.timeout(60_000);
		const faults = await usePage(async page => {
			await page.setContent(spoil(printSvg(layOut(sketchConnection()))));
			return faultsOfDrawings(page);
		});
		t.regex(faults.join('\n'), expected);
	});
}
