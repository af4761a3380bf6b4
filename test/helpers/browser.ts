/** Drawings and pages in a real browser: Debian's chromium, driven by playwright-core. */

import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {chromium, type BrowserContextOptions, type Page} from 'playwright-core';

/** Shows something in a browser that lives as long as `use` takes. As root it has no sandbox of its own; what it shows is ours, and the pages load nothing. */
export async function usePage<Result>(use: (page: Page) => Promise<Result>, options: BrowserContextOptions = {}): Promise<Result> {
	const programs = (process.env['PATH'] ?? '').split(path.delimiter).map(folder => path.join(folder, 'chromium'));
	const browser = await chromium.launch({executablePath: programs.find(file => fs.existsSync(file))!, args: ['--no-sandbox']});
	try {
		return await use(await browser.newPage(options));
	} finally {
		await browser.close();
	}
}

/** What is wrong with the drawings of a page, as sentences: texts that overlap, that lie under a line, that leave their box or the drawing. */
export async function faultsOfDrawings(page: Page): Promise<readonly string[]> {
	// eslint-disable-next-line complexity -- It runs in the browser, where none of our functions are.
	return page.evaluate(() => {
		const faults: string[] = [];
		for (const details of document.querySelectorAll('details')) {
			details.open = true;
		}

		const drawings = [...document.querySelectorAll('svg.dw[viewBox]')] as SVGSVGElement[];
		if (drawings.length === 0) {
			faults.push('There is no drawing.');
		}

		for (const drawing of drawings) {
			const name = drawing.querySelector('title')?.textContent ?? '';
			const outer = drawing.viewBox.baseVal;
			const scale = drawing.getBoundingClientRect().width / outer.width;
			const origin = drawing.getBoundingClientRect();
			const boxOf = (element: Element) => {
				const {left, top, right, bottom} = element.getBoundingClientRect();
				return {left: (left - origin.left) / scale, top: (top - origin.top) / scale, right: (right - origin.left) / scale, bottom: (bottom - origin.top) / scale};
			};

			type Box = ReturnType<typeof boxOf> & {readonly text: string};
			const tight = (element: Element, text: string): Box => ({...boxOf(element), text});
			const texts: Box[] = [];
			for (const text of drawing.querySelectorAll(':scope > text, :scope > g > text')) {
				if (!text.classList.contains('num')) {
					texts.push(tight(text, text.textContent ?? ''));
				}
			}

			for (const use of drawing.querySelectorAll('use')) {
				const target = document.querySelector(use.getAttribute('href')!)!;
				if (target.querySelector('.num, circle, rect') === null) {
					texts.push(tight(use, target.textContent ?? ''));
				}
			}

			for (const box of texts) {
				if (box.left < -0.5 || box.top < -0.5 || box.right > outer.width + 0.5 || box.bottom > outer.height + 0.5) {
					faults.push(`${name}: "${box.text}" leaves the drawing`);
				}
			}

			const shrink = 3; // A font's box has room above and below its letters.
			for (const [index, one] of texts.entries()) {
				for (const other of texts.slice(index + 1)) {
					if (one.left < other.right - 0.5 && other.left < one.right - 0.5 && one.top + shrink < other.bottom - shrink && other.top + shrink < one.bottom - shrink) {
						faults.push(`${name}: "${one.text}" and "${other.text}" overlap`);
					}
				}
			}

			// A text lies within the smallest box that holds its beginning.
			const rects = [...drawing.querySelectorAll(':scope > rect')].map(element => boxOf(element));
			for (const box of texts) {
				const around = rects.filter(rect => rect.left <= box.left && box.left < rect.right && rect.top <= box.top + shrink && box.bottom - shrink <= rect.bottom + 0.5);
				const smallest = around.sort((one, other) => ((one.right - one.left) * (one.bottom - one.top)) - ((other.right - other.left) * (other.bottom - other.top)))[0];
				if (smallest !== undefined && box.right > smallest.right + 0.5) {
					faults.push(`${name}: "${box.text}" leaves its box`);
				}
			}

			for (const shape of drawing.querySelectorAll(':scope > rect, :scope > path, :scope > circle, :scope > g, :scope > use')) {
				const box = boxOf(shape);
				if (box.left < -0.5 || box.top < -0.5 || box.right > outer.width + 0.5 || box.bottom > outer.height + 0.5) {
					faults.push(`${name}: a ${shape.tagName} leaves the drawing`);
				}
			}

			// No track runs through a text. Its lines are horizontal and vertical, with round corners.
			for (const track of drawing.querySelectorAll('path.track')) {
				const numbers = [...track.getAttribute('d')!.matchAll(/(?<letter>[MLQh])?\s*(?<number>-?[\d.]+)/gu)];
				const isRelative = numbers.some(({groups}) => groups!['letter'] === 'h');
				const values = numbers.map(({groups}) => Number(groups!['number']));
				const points = isRelative
					? [[values[0]!, values[1]!], [values[0]! + values[2]!, values[1]!]] as const
					: values.flatMap((value, place) => place % 2 === 0 ? [[value, values[place + 1]!] as const] : []);
				for (const [place, [x, y]] of points.slice(1).entries()) {
					const [fromX, fromY] = points[place]!;
					const hit = texts.find(box => Math.min(x, fromX) < box.right + 1 && Math.max(x, fromX) > box.left - 1 && Math.min(y, fromY) < box.bottom - 3 && Math.max(y, fromY) > box.top + 3);
					if (hit !== undefined) {
						faults.push(`${name}: a line runs through "${hit.text}"`);
					}
				}
			}
		}

		return [...new Set(faults)];
	});
}
