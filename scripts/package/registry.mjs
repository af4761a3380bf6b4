/**
A registry of npm on a loopback port, for one package: it takes what `npm publish` sends and hands it out again. All other packages it leaves to the registry that npm is set to. So `npx NAME` can be tried before NAME is published.
*/

import {Buffer} from 'node:buffer';
import {createServer} from 'node:http';

/** The body of a request. */
async function bodyOf(request) {
	const parts = [];
	for await (const part of request) {
		parts.push(part);
	}

	return Buffer.concat(parts);
}

function listen(server) {
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(0, '127.0.0.1', resolve);
	});
}

/**
Starts the registry.

@param {{upstream: string}} options `upstream` is the registry of all other packages.
@returns {Promise<{url: string, published: () => readonly string[], close: () => void}>} `published` lists `NAME@VERSION`.
*/
export async function startRegistry({upstream}) {
	const documents = new Map();
	const tarballs = new Map();
	const server = createServer();
	await listen(server);
	const url = `http://127.0.0.1:${server.address().port}/`;

	const publish = async (name, request) => {
		const {versions, _attachments: attachments, ...rest} = JSON.parse(String(await bodyOf(request)));
		for (const [file, {data}] of Object.entries(attachments)) {
			tarballs.set(`/-/${file}`, Buffer.from(data, 'base64'));
		}

		for (const manifest of Object.values(versions)) {
			manifest.dist.tarball = `${url}-/${manifest.dist.tarball.split('/-/').at(-1)}`;
		}

		documents.set(name, {...rest, versions});
	};

	const answer = async (request, response) => {
		const path = decodeURIComponent(new URL(request.url, url).pathname);
		const name = path.slice(1);
		if (request.method === 'PUT') {
			await publish(name, request);
			response.writeHead(201, {'content-type': 'application/json'}).end('{"ok": true}');
		} else if (documents.has(name)) {
			response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(documents.get(name)));
		} else if (tarballs.has(path)) {
			response.writeHead(200, {'content-type': 'application/octet-stream'}).end(tarballs.get(path));
		} else {
			response.writeHead(307, {location: new URL(request.url.slice(1), upstream).href}).end();
		}
	};

	server.on('request', async (request, response) => {
		try {
			await answer(request, response);
		} catch (error) {
			response.writeHead(500, {'content-type': 'application/json'}).end(JSON.stringify({error: error.message}));
		}
	});
	return {
		url,
		published: () => [...documents.values()].flatMap(({name, versions}) => Object.keys(versions).map(version => `${name}@${version}`)),
		close() {
			server.close();
			server.closeAllConnections();
		},
	};
}
