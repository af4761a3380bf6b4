/** The page of `testbed serve` in a real browser: what a person does with it, by mouse and by keyboard alone. */

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import test from 'ava';
import type {Page} from 'playwright-core';
import {usePage} from '../helpers/browser.js';
import {isLeftOut} from '../helpers/left-out.js';
import {RunningServer} from './_serve.js';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong, as sentences. The page's policy lets no script in, so it is put there by the browser itself. */
async function faultsOfPage(page: Page): Promise<readonly string[]> {
	await page.evaluate(axeSource);
	return page.evaluate(async () => {
		const {violations} = await (globalThis as unknown as {axe: {run: () => Promise<{violations: ReadonlyArray<{id: string; nodes: ReadonlyArray<{html: string}>}>}>}}).axe.run();
		return violations.map(({id, nodes}) => `${id}: ${nodes.map(({html}) => html.slice(0, 160)).join(' | ')}`);
	});
}

/** Whether everything of a page can be reached without scrolling sideways. */
async function isTooWide(page: Page): Promise<boolean> {
	return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);
}

type Setting = {readonly given?: readonly string[]; readonly viewport?: {readonly width: number; readonly height: number}; readonly colorScheme?: 'light' | 'dark'};

/** Opens the page, waits for the first packets, and fails for whatever the browser complains about. */
async function onPage(use: (page: Page, server: RunningServer) => Promise<void>, {given = [], viewport = {width: 1280, height: 720}, colorScheme = 'light'}: Setting = {}): Promise<readonly string[]> {
	await using server = await RunningServer.start(given);
	await server.ready();
	const found = await usePage(async page => {
		const complaints: string[] = [];
		watch(page, complaints);
		await page.goto(server.url);
		await page.getByText('as intended', {exact: false}).first().waitFor();
		// What it may do comes by a request of its own; until then, no key does anything.
		await page.locator('.types button:enabled').first().waitFor();
		await use(page, server);
		return complaints;
	}, {viewport, colorScheme, reducedMotion: 'reduce'});
	return found; // The server stands until the page is closed.
}

function watch(page: Page, complaints: string[]): void {
	page.on('console', message => {
		if (message.type() === 'error') {
			complaints.push(message.text());
		}
	});
	page.on('pageerror', error => {
		complaints.push(error.message);
	});
	page.on('request', request => {
		if (new URL(request.url()).hostname !== '127.0.0.1') {
			complaints.push(`asked for ${request.url()}`);
		}
	});
}

/** The page has shown everything that it was told. */
async function whenIdle(page: Page): Promise<void> {
	await page.waitForFunction(() => !(document.querySelector('header .status')?.textContent ?? '').includes('…'));
}

test.serial('by keyboard alone: send, step, delete a rule, see types fail, undo', async t => {
	if (isLeftOut(t, {program: 'chromium'})) {
		return;
	}

	t.deepEqual(await onPage(async page => {
		t.notRegex(page.url(), /token/u);
		await page.keyboard.press('2');
		await page.getByRole('heading', {name: '2 local-to-remote'}).waitFor();
		await whenIdle(page);
		await page.keyboard.press('Home');
		await page.locator('.told').getByText('opens a connection to 10.244.1.20:8080').waitFor();
		for (let step = 0; step < 3; step++) {
			await page.keyboard.press('ArrowRight'); // eslint-disable-line no-await-in-loop -- As a person does it.
		}

		// The rule before does not match either: the page may still draw the last of the three keys.
		await page.locator('.current code').filter({hasText: '--uid-owner 1337'}).waitFor();
		await page.locator('.told').getByText('Does not match').waitFor();
		await page.keyboard.press('Shift+ArrowRight');
		await page.locator('.told').getByText('ISTIO_OUTPUT#9').waitFor();
		await page.keyboard.press('ArrowLeft');
		await page.locator('.told').getByText('ISTIO_OUTPUT#8').waitFor();
		await page.keyboard.press('End');
		await page.locator('.told').getByText('It arrives at remote:8080').waitFor();
		await page.keyboard.press('Escape');
		t.is(await page.locator('figure.drawing').count(), 1);

		await page.keyboard.press('r');
		for (let rule = 0; rule < 11; rule++) {
			await page.keyboard.press('ArrowDown'); // eslint-disable-line no-await-in-loop -- As above.
		}

		t.is(await page.evaluate(() => (document.activeElement as HTMLElement).dataset['rule']), 'ip nat ISTIO_OUTPUT 4');
		await page.keyboard.press('Delete');
		await page.getByText('ISTIO_OUTPUT#4 (IPv4 and IPv6) deleted').waitFor();
		await page.getByText('not as intended').first().waitFor();
		t.is(await page.locator('.types .badge.fail').count(), 4);
		t.is(await page.locator('figure.drawing').count(), 2);
		t.is(await page.locator('.gone del').textContent(), '-m owner --uid-owner 1337 -j RETURN');
		await page.keyboard.press('u');
		await page.locator('.new').waitFor();
		t.is(await page.locator('.types .change > .badge.pass:last-child').count(), 6);
	}), []);
});

test.serial('by mouse: change a user, load a release, send another connection, share', async t => {
	if (isLeftOut(t, {program: 'chromium'})) {
		return;
	}

	t.deepEqual(await onPage(async (page, server) => {
		await page.locator('[data-rule="ip nat ISTIO_OUTPUT 4"]').click();
		await page.getByRole('textbox', {name: 'UID'}).last().waitFor();
		t.true(await page.getByRole('checkbox', {name: /both have this rule/u}).isChecked());
		await page.getByRole('checkbox', {name: /both have this rule/u}).uncheck();
		await page.locator('.editor').getByRole('textbox', {name: 'UID'}).fill('2000');
		await page.locator('.editor').getByRole('button', {name: 'Change'}).click();
		await page.getByText('(IPv4 alone): UID 1337 → 2000').waitFor();
		await whenIdle(page);

		await page.getByRole('button', {name: 'Link'}).click();
		const hash = await page.evaluate(() => location.hash);
		t.regex(hash, /^#state=/u);
		await page.getByRole('button', {name: 'Load', exact: true}).click();
		await page.getByRole('textbox', {name: /Or paste a dump/u}).fill('*nat\n:OUTPUT ACCEPT\n:<b>x</b> -\n-A OUTPUT -p tcp -m comment --comment "<img src=x onerror=document.title=1>" -j <b>x</b>\n-A <b>x</b> -d 10.0.0.1/32 -j RETURN\nCOMMIT\n');
		await page.locator('form.load').getByRole('button', {name: 'Load'}).click();
		await page.getByText('pasted rules').first().waitFor();
		// Names and comments of rules are text.
		t.is(await page.locator('img, b').count(), 0);
		t.true(await page.getByText('<b>x</b>').count() > 0);
		t.is(await page.title(), 'testbed');

		await page.getByRole('button', {name: 'Load it'}).click();
		await page.getByText('UID 1337 → 2000').waitFor();
		await whenIdle(page);
		await page.locator('form.connection').getByRole('textbox', {name: 'UID'}).fill('2000');
		await page.locator('form.connection').getByRole('button', {name: 'Send'}).click();
		await page.getByRole('heading', {name: 'app-2000 to remote:8080'}).waitFor();
		t.is(await server.shown(({now}) => now?.stops), 'app-2000 → remote:8080');
		await page.getByText('Sent so far').click();
		t.true(await page.locator('table.sent tbody tr').count() >= 3);
		await page.locator('form.connection').getByRole('textbox', {name: 'port'}).fill('no port');
		await page.locator('form.connection').getByRole('button', {name: 'Send'}).click();
		await page.getByRole('alert').waitFor();
		t.regex(await page.getByRole('alert').textContent() ?? '', /ADDRESS:PORT/u);
	}), ['Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)']);
});

test.serial('a room guesses by its keys, compares, and others follow in a second page', async t => {
	if (isLeftOut(t, {program: 'chromium'})) {
		return;
	}

	t.deepEqual(await onPage(async (page, server) => {
		const follower = await page.context().browser()!.newPage();
		const complaints: string[] = [];
		watch(follower, complaints);
		await follower.goto(server.watchUrl!);
		await follower.getByText('You are watching').waitFor();

		await page.keyboard.press('p');
		await page.getByText('The room guesses').waitFor();
		await page.keyboard.press('2');
		await page.getByText('Which rule decides').waitFor();
		t.is(await page.locator('.candidates li').count(), 10);
		t.is(await page.locator('figure.drawing').count(), 0);
		await follower.getByText('Which rule decides').waitFor();
		t.true(await follower.locator('.candidates button').first().isDisabled());
		await page.keyboard.press('9');
		await page.getByText('Right.').waitFor();
		await follower.getByText('Score: 1 of 1').waitFor();

		// What the trainer steps through, the others see.
		await page.keyboard.press('Home');
		await page.keyboard.press('ArrowRight');
		await follower.locator('.told').getByText('OUTPUT#1').waitFor();
		await follower.locator('.packet').waitFor();
		await follower.keyboard.press('1');
		t.is(await follower.getByRole('group', {name: 'Steps'}).count(), 0);

		await page.keyboard.press('c');
		await page.getByLabel('Rules from').fill('release:1.31 -o 5432');
		await page.getByRole('button', {name: 'Compare', exact: true}).last().click();
		await page.getByText('Moved:').waitFor();
		await page.locator('.pair figure').nth(1).waitFor();
		await page.locator('.moves button').nth(1).click();
		await follower.locator('.moves button[aria-pressed=true]').nth(0).waitFor();
		t.is(await server.shown(({view}) => view.example), 1);
		t.deepEqual(complaints, []);
	}, {given: ['--listen', '127.0.0.1']}), []);
});

test.serial('a lesson: a wrong answer gives a hint, the right one the path, and the next step follows', async t => {
	if (isLeftOut(t, {program: 'chromium'})) {
		return;
	}

	t.deepEqual(await onPage(async (page, server) => {
		await page.keyboard.press('e');
		await page.getByRole('button', {name: 'Out of the pod'}).click();
		await page.locator('.candidates button:enabled').first().waitFor();
		t.is(await page.locator('.lesson figure.drawing').count(), 0);
		t.is(await server.shown(({lesson}) => lesson?.right), null);
		await page.keyboard.press('1');
		await page.getByText('Hint 1.').waitFor();
		await page.getByText('Not this one.').waitFor();
		await page.keyboard.press('9');
		await page.getByText('Right, at try 2.').waitFor();
		t.is(await page.locator('.lesson figure.drawing').count(), 1);
		await page.keyboard.press('Home');
		await page.locator('.told').getByText('opens a connection to 10.244.1.20:8080').waitFor();
		for (let step = 0; step < 3; step++) {
			await page.keyboard.press('ArrowRight'); // eslint-disable-line no-await-in-loop -- As a person does it.
		}

		await page.locator('.told').getByText('ISTIO_OUTPUT#2').waitFor();
		await page.locator('.lesson .packet').waitFor();
		// Who watches is told of the step as well.
		await server.stateWhen('the server knows of the step', ({view}) => view.step === 3);
		await page.keyboard.press('Enter');
		await page.getByText('2 of 3').waitFor();
		await page.locator('.candidates button:enabled').first().waitFor();
		await page.getByRole('button', {name: 'Show the answer'}).click();
		await page.getByText('The answer is marked.').waitFor();
		t.is(await page.locator('.candidates .right').count(), 1);
		await whenIdle(page);
		t.deepEqual(await faultsOfPage(page), []);
		await page.getByRole('button', {name: 'All lessons'}).click();
		await page.getByRole('button', {name: 'Out of the pod'}).waitFor();
		t.deepEqual(await faultsOfPage(page), []);

		// Of several connections, one at a time, by its number.
		await page.getByRole('button', {name: 'What UID 1337 means'}).click();
		await page.locator('.candidates button:enabled').first().waitFor();
		await page.keyboard.press('3');
		await page.keyboard.press('4');
		await page.keyboard.press('Enter');
		await page.getByText('✔ Right').waitFor();
		t.is(await page.locator('.lesson-drawings button kbd').count(), 4);
		await page.keyboard.press('3');
		await page.getByRole('region', {name: /UID 1337, IPv4/u}).waitFor();
		await page.keyboard.press('End');
		await page.locator('.told').getByText('It arrives at remote:8080').waitFor();
		t.is(await page.locator('.chain .current').count(), 0);
		// Back over the policies of POSTROUTING and OUTPUT.
		for (let step = 0; step < 3; step++) {
			await page.keyboard.press('ArrowLeft'); // eslint-disable-line no-await-in-loop -- As a person does it.
		}

		await page.locator('.told').getByText('ISTIO_OUTPUT#4').waitFor();
		await page.locator('.lesson .chain .current').filter({hasText: '--uid-owner 1337'}).waitFor();
		t.deepEqual(await faultsOfPage(page), []);
	}), []);
});

for (const [title, setting] of [
	['light', {}],
	['dark', {colorScheme: 'dark'}],
	['phone', {viewport: {width: 390, height: 844}}],
] as const satisfies ReadonlyArray<readonly [string, Setting]>) {
	test.serial(`axe finds nothing on any panel, and nothing runs over the edge: ${title}`, async t => {
		if (isLeftOut(t, {program: 'chromium'})) {
			return;
		}

		t.deepEqual(await onPage(async page => {
			const look = async (panel: string): Promise<void> => {
				await whenIdle(page);
				t.deepEqual(await faultsOfPage(page), [], panel);
				t.false(await isTooWide(page), panel);
			};

			await look('send');
			await page.keyboard.press('2');
			await page.getByRole('heading', {name: '2 local-to-remote'}).waitFor();
			await page.keyboard.press('Home');
			await page.keyboard.press('ArrowRight');
			await look('step');
			await page.locator('[data-rule="ip nat ISTIO_OUTPUT 4"]').click();
			await look('rule');
			await page.locator('.editor').getByRole('button', {name: 'Delete'}).click();
			await page.getByText('ISTIO_OUTPUT#4 (IPv4 and IPv6) deleted').waitFor();
			await page.keyboard.press('Escape');
			await look('edited');
			await page.keyboard.press('+');
			await page.keyboard.press('+');
			await look('huge type');
			await page.keyboard.press('l');
			await look('load');
			await page.getByRole('button', {name: 'Cancel'}).click();
			await page.keyboard.press('?');
			await look('keys');
			await page.keyboard.press('p');
			await page.getByText('The room guesses').waitFor();
			await page.keyboard.press('2');
			await page.getByText('Which rule decides').waitFor();
			await look('predict');
			await page.keyboard.press('1');
			await page.getByText('Not this one.').waitFor();
			await look('guessed');
			await page.keyboard.press('c');
			await look('compare');
		}, setting), []);
	});
}
