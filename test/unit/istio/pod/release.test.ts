import test from 'ava';
import {nameOfImage, releaseOfImage} from '../../../../src/istio/pod/image.js';
import {isAtLeast} from '../../../../src/istio/pod/since.js';

for (const [image, release, name] of [
	['docker.io/istio/proxyv2:1.24.3-distroless', '1.24.3', 'proxyv2'],
	['proxyv2:1.24', '1.24', 'proxyv2'],
	['registry.example:5000/istio/proxyv2:1.30.0-rc.1@sha256:ab12', '1.30.0', 'proxyv2'],
	['registry.example:5000/istio/proxyv2', undefined, 'proxyv2'],
	['istio/proxyv2:v1.31.0', '1.31.0', 'proxyv2'],
	['istio/proxyv2:1.34-alpha.0a1b', '1.34', 'proxyv2'],
	['istio/proxyv2:prod-7', undefined, 'proxyv2'],
	['istio/proxyv2:latest', undefined, 'proxyv2'],
	['istio/proxyv2@sha256:1.24', undefined, 'proxyv2'],
	['istio/proxyv2:1.24.3.4', undefined, 'proxyv2'],
] as const) {
	test(`the release of ${image}`, t => {
		t.is(releaseOfImage(image), release);
		t.is(nameOfImage(image), name);
	});
}

test('no image names no release', t => {
	t.is(releaseOfImage(undefined), undefined);
});

for (const [release, since, is] of [
	['1.24.3', '1.24.3', true], ['1.24.3', '1.24.4', false], ['1.24', '1.24.4', true], ['1.9.9', '1.10.0', false], ['1.10', '1.9', true], ['2.0.0', '1.30.0', true],
] as const) {
	test(`${release} ${is ? 'has' : 'does not have'} something that exists since ${since}`, t => {
		t.is(isAtLeast(release, since), is);
	});
}
