/**
 * The register of annex A of the authorization design: every line of it, and the tests that hold it. The section on SMART App Launch in docs/conformance.md says
 * the same; `annex-a.test.ts` compares both, looks for each test, and holds the list of capabilities in the discovery document against it.
 */

/** Beginnings of titles of tests, by file below `test/`. */
export type Held = Readonly<Record<string, readonly string[]>>

export type Line = {
  /** Section and number. */
  readonly line: string
  readonly requirement: string
  readonly stands: 'yes' | 'partly' | 'open'
  /** What is missing, where something is. */
  readonly why?: string
  readonly held: Held
}

export const annexA: readonly Line[] = [
  {
    line: 'A.1 1',
    requirement: '`{fhir}/.well-known/smart-configuration` answers 200 with JSON',
    stands: 'yes',
    held: {
      'clients/acceptance.test.ts': [
        'A.1 1, A.1 2: the discovery document is JSON whatever is accepted, and every address in it is absolute',
      ],
      'clients/fhir-kit-client.test.ts': ['A.1 1, A.1 8: finds the authorization server in the discovery document'],
      'http/cors.test.ts': ['A.1 1, A.1 2: the discovery document'],
    },
  },
  {
    line: 'A.1 2',
    requirement: 'the same whatever `Accept` says; every URL absolute',
    stands: 'yes',
    held: {
      'clients/acceptance.test.ts': [
        'A.1 1, A.1 2: the discovery document is JSON whatever is accepted, and every address in it is absolute',
      ],
      'http/cors.test.ts': ['A.1 1, A.1 2: the discovery document'],
    },
  },
  {
    line: 'A.1 3',
    requirement: 'endpoints, `capabilities`, grant types and challenge methods are there, and are strings',
    stands: 'yes',
    held: {
      'auth/server/openid.test.ts': ['A.1 3, 4, 5, 9: has what SMART asks for, and no plain challenge'],
      'clients/acceptance.test.ts': ['A.1 3, A.1 4, A.1 5, A.1 7, A.1 9: it has what each kind of client needs'],
    },
  },
  {
    line: 'A.1 4',
    requirement: '`authorization_code` and `S256`; never `plain`',
    stands: 'yes',
    held: {
      'auth/server/openid.test.ts': ['A.1 3, 4, 5, 9: has what SMART asks for, and no plain challenge'],
      'clients/acceptance.test.ts': ['A.1 3, A.1 4, A.1 5, A.1 7, A.1 9: it has what each kind of client needs'],
    },
  },
  {
    line: 'A.1 5',
    requirement: '`issuer` and `jwks_uri` with `sso-openid-connect`',
    stands: 'yes',
    held: {
      'auth/server/openid.test.ts': ['A.1 3, 4, 5, 9: has what SMART asks for, and no plain challenge'],
      'clients/acceptance.test.ts': ['A.1 3, A.1 4, A.1 5, A.1 7, A.1 9: it has what each kind of client needs'],
    },
  },
  {
    line: 'A.1 6',
    requirement: 'the discovery document and `metadata` may be read from every origin',
    stands: 'yes',
    held: {
      'clients/acceptance.test.ts': ['A.1 6, A.1 8: pages anywhere may read both documents, and they name the same endpoints'],
      'http/cors.test.ts': ['A.1 6: the capabilities and the discovery document are for everybody'],
    },
  },
  {
    line: 'A.1 7',
    requirement: '`scopes_supported` and `introspection_endpoint`; every scope that is listed can be granted',
    stands: 'yes',
    held: {
      'clients/acceptance.test.ts': ['A.1 3, A.1 4, A.1 5, A.1 7, A.1 9: it has what each kind of client needs'],
      'auth/capability-security.test.ts': ['the scopes that are offered follow from the roles'],
      'auth/scopes/narrow.test.ts': ['every supported scope can be read'],
    },
  },
  {
    line: 'A.1 8',
    requirement: 'the CapabilityStatement names the same endpoints as the discovery document',
    stands: 'yes',
    held: {
      'auth/server/openid.test.ts': ['A.1 8: CapabilityStatement says the same of all six endpoints'],
      'cli/first-start.test.ts': ['A.1 8: tells apps where the authorization server is, in both documents alike'],
      'clients/acceptance.test.ts': ['A.1 6, A.1 8: pages anywhere may read both documents, and they name the same endpoints'],
      'clients/fhir-kit-client.test.ts': ['A.1 1, A.1 8: finds the authorization server in the discovery document'],
    },
  },
  {
    line: 'A.1 9',
    requirement: '`private_key_jwt` with RS384 and ES384',
    stands: 'yes',
    held: {
      'auth/server/openid.test.ts': ['A.1 3, 4, 5, 9: has what SMART asks for, and no plain challenge'],
      'clients/acceptance.test.ts': ['A.1 3, A.1 4, A.1 5, A.1 7, A.1 9: it has what each kind of client needs'],
    },
  },
  {
    line: 'A.2 10',
    requirement: 'TLS 1.2 or newer',
    stands: 'partly',
    why: 'TLS is ended in front of the server, which speaks HTTP; what it says of itself is https throughout',
    held: {
      'clients/tls.test.ts': [
        'A.2 10: ',
        'A.2 10: every address in the discovery documents is https, and browsers are told to stay with it',
        'A.2 10: redirects lead to https, and cookies are for https alone',
      ],
    },
  },
  {
    line: 'A.3 11',
    requirement: 'authorization by GET and POST with PKCE and `aud` ends at the redirect URI with a code',
    stands: 'yes',
    held: {
      'auth/server/standalone.test.ts': [
        'A.3 11, 12, 14, 16: a code comes back with the state as it was, and tokens with their context',
        'A.3 11: by POST too, which becomes a query',
      ],
      'auth/server/with-pages.test.ts': ['A.3 11: a patient signs in, agrees, and the application has a token'],
      'cli/first-start.test.ts': [
        'A.3 11, A.3 13, A.3 14, A.3 20: lets it read one patient for a doctor, who signs in, chooses and allows',
      ],
      'clients/fhirclient.test.ts': [
        'A.3 11, A.3 13, A.3 18, A.3 20, A.5 31, A.6 32: a doctor starts an app, chooses a patient and agrees; it reads, pages, creates and renews',
      ],
      'clients/openid-client.test.ts': ['A.3 11, A.3 13, A.5 29, A.6 32: an app of kind '],
    },
  },
  {
    line: 'A.3 12',
    requirement: '`state` comes back as it was; `iss` beside it',
    stands: 'yes',
    held: {
      'auth/server/standalone.test.ts': ['A.3 11, 12, 14, 16: a code comes back with the state as it was, and tokens with their context'],
      'clients/openid-client.test.ts': ['A.3 11, A.3 13, A.5 29, A.6 32: an app of kind '],
    },
  },
  {
    line: 'A.3 13',
    requirement: 'the code is exchanged by public, symmetric and asymmetric clients',
    stands: 'yes',
    held: {
      'auth/server/standalone.test.ts': ['A.3 13: a code is redeemed with a secret by Basic, or with an assertion of RS384 or ES384'],
      'cli/first-start.test.ts': [
        'A.3 11, A.3 13, A.3 14, A.3 20: lets it read one patient for a doctor, who signs in, chooses and allows',
      ],
      'clients/fhirclient.test.ts': [
        'A.3 11, A.3 13, A.3 18, A.3 20, A.5 31, A.6 32: a doctor starts an app, chooses a patient and agrees; it reads, pages, creates and renews',
      ],
      'clients/openid-client.test.ts': ['A.3 11, A.3 13, A.5 29, A.6 32: an app of kind '],
    },
  },
  {
    line: 'A.3 14',
    requirement: 'the token response has what it must',
    stands: 'yes',
    held: {
      'auth/server/standalone.test.ts': ['A.3 11, 12, 14, 16: a code comes back with the state as it was, and tokens with their context'],
      'cli/first-start.test.ts': [
        'A.3 11, A.3 13, A.3 14, A.3 20: lets it read one patient for a doctor, who signs in, chooses and allows',
      ],
    },
  },
  {
    line: 'A.3 15',
    requirement: 'all scopes that were asked for come back when they are allowed, in the words of v1 and v2',
    stands: 'yes',
    held: {
      'auth/server/standalone.test.ts': ['A.3 15: all that was asked comes back where it is allowed, in the spelling of the request'],
      'clients/acceptance.test.ts': [
        'A.3 15: all of a patient, in the words of v2',
        'A.3 15: all of a patient, in the words of v1',
        'A.3 15: 28 types, one by one',
      ],
      'auth/pages/consent-groups.test.ts': [
        'A.3 15: the standalone launch, v2',
        'A.3 15: the standalone launch, v1',
        'A.3 15: types one by one',
      ],
    },
  },
  {
    line: 'A.3 16',
    requirement: '`Cache-Control: no-store` and `Pragma: no-cache`',
    stands: 'yes',
    held: {
      'auth/server/standalone.test.ts': ['A.3 11, 12, 14, 16: a code comes back with the state as it was, and tokens with their context'],
      'auth/server/refresh.test.ts': ['A.6 32, 33: with and without scope'],
    },
  },
  {
    line: 'A.3 17',
    requirement: '`fhirContext`: relative references to real types',
    stands: 'yes',
    held: {
      'auth/server/ehr-launch.test.ts': ['what the user may not see, and what does not belong together, starts nothing'],
      'clients/fhirclient.test.ts': ['A.4 23, A.4 24, A.4 25: a doctor opens the app out of the record'],
    },
  },
  {
    line: 'A.3 18',
    requirement: 'a token response carries CORS headers for the origin of its client',
    stands: 'yes',
    held: {
      'clients/fhirclient.test.ts': [
        'A.3 11, A.3 13, A.3 18, A.3 20, A.5 31, A.6 32: a doctor starts an app, chooses a patient and agrees; it reads, pages, creates and renews',
      ],
      'http/cors.test.ts': ['A.3 18, A.5 31: lets the origins of the client that asks read, and names what they may see'],
    },
  },
  {
    line: 'A.3 19',
    requirement: 'a code is good once, for 60 s, for its client, redirect URI and verifier',
    stands: 'yes',
    held: {
      'auth/server/authenticate.test.ts': [
        'A.3 19, A.12 52: a code is good for 60 seconds, a token for 15 minutes, a session for its idle time',
      ],
      'auth/server/races.test.ts': ['A.3 19: of 50 parallel redemptions of a code one succeeds, and its tokens are dead'],
      'auth/server/standalone.test.ts': ['A.3 19: a code is good once, with its verifier, for its client and its redirect address'],
    },
  },
  {
    line: 'A.3 20',
    requirement: '`launch/patient`, `launch/encounter` and `patient/` scopes bring their context, or no access',
    stands: 'yes',
    held: {
      'auth/server/standalone.test.ts': [
        'A.3 20: scopes of a patient bring a patient, launch/encounter an encounter of that patient',
        'A.3 20: another patient’s encounter and a patient out of sight are not taken',
        'A.3 20: without a patient that somebody may open there is no access',
      ],
      'cli/first-start.test.ts': [
        'A.3 11, A.3 13, A.3 14, A.3 20: lets it read one patient for a doctor, who signs in, chooses and allows',
      ],
      'clients/fhirclient.test.ts': [
        'A.3 11, A.3 13, A.3 18, A.3 20, A.5 31, A.6 32: a doctor starts an app, chooses a patient and agrees; it reads, pages, creates and renews',
      ],
    },
  },
  {
    line: 'A.3 21',
    requirement: 'who refuses is sent back with `access_denied`',
    stands: 'yes',
    held: {
      'auth/pages/login-pages.test.ts': [
        'A.3 21: who refuses, at consent or at the choice of a patient, goes back to the application without anything',
      ],
      'auth/server/standalone.test.ts': ['A.3 21: who refuses sends the browser back with access_denied and the state'],
      'auth/server/with-pages.test.ts': ['A.3 21: who refuses is sent back'],
      'clients/fhirclient.test.ts': ['A.3 21: whoever refuses comes back to the app, which is told'],
    },
  },
  {
    line: 'A.3 22',
    requirement: 'what is not ticked is in no token; nothing wider appears',
    stands: 'yes',
    held: {
      'auth/pages/consent-groups.test.ts': ['T16, A.3 22: whatever is ticked is within what was asked for, and all ticked is all of it'],
      'auth/server/standalone.test.ts': ['A.3 22: what is not ticked is neither in the token nor in its effect, and nothing wider appears'],
    },
  },
  {
    line: 'A.4 23',
    requirement: 'the launch URL gets `iss` and `launch`',
    stands: 'yes',
    held: {
      'auth/pages/app-start.test.ts': ['A.4 23, A.4 25: staff choose the app, a patient and a visit'],
      'auth/server/ehr-launch.test.ts': ['A.4 23, 24, 25: the launch URL names the FHIR base, and all context arrives without a picker'],
      'clients/own-record.test.ts': ['A.4 23, A.4 24, A.4 25: the app opens for that patient'],
      'clients/fhirclient.test.ts': [
        'A.4 23, A.4 24, A.4 25: a doctor opens the app from the page Apps, for a patient and a visit',
        'A.4 23: a patient opens the app for himself, chooses nobody, and goes on without a visit',
        'A.4 23, A.4 24, A.4 25: a doctor opens the app out of the record; patient, encounter and banner arrive without a picker',
      ],
    },
  },
  {
    line: 'A.4 24',
    requirement: 'then as a standalone launch, with scope `launch`',
    stands: 'yes',
    held: {
      'auth/server/ehr-launch.test.ts': ['A.4 23, 24, 25: the launch URL names the FHIR base, and all context arrives without a picker'],
      'clients/own-record.test.ts': ['A.4 23, A.4 24, A.4 25: the app opens for that patient'],
      'clients/fhirclient.test.ts': [
        'A.4 23, A.4 24, A.4 25: a doctor opens the app from the page Apps, for a patient and a visit',
        'A.4 23, A.4 24, A.4 25: a doctor opens the app out of the record; patient, encounter and banner arrive without a picker',
      ],
    },
  },
  {
    line: 'A.4 25',
    requirement: 'all context arrives without a picker; a launch is good once, for its client and user, while it lasts',
    stands: 'yes',
    held: {
      'auth/pages/app-start.test.ts': ['A.4 23, A.4 25: staff choose the app, a patient and a visit'],
      'auth/server/ehr-launch.test.ts': [
        'A.4 23, 24, 25: the launch URL names the FHIR base, and all context arrives without a picker',
        'A.4 25: it is good once, for its client, while it lasts',
        'A.4 25: of five agreements with the same launch at the same time one becomes access',
        'A.4 25: one that was used while somebody was at the screen is refused there',
        'A.4 25: a launch of another user asks for that user',
      ],
      'clients/own-record.test.ts': ['A.4 23, A.4 24, A.4 25: the app opens for that patient'],
      'clients/fhirclient.test.ts': [
        'A.4 23, A.4 24, A.4 25: a doctor opens the app from the page Apps, for a patient and a visit',
        'A.4 23, A.4 24, A.4 25: a doctor opens the app out of the record; patient, encounter and banner arrive without a picker',
      ],
    },
  },
  {
    line: 'A.5 26',
    requirement: 'the id token is a JWT, RS256, with a published `kid`',
    stands: 'yes',
    held: {
      'auth/keys/signing-keys.test.ts': [
        'A.5 26, 28: the first start makes an RSA key that signs; what is published verifies it and holds no private part',
      ],
      'auth/server/openid.test.ts': ['A.5 26, 29, 30: the id token is signed by a published key and names the user'],
      'clients/openid-client.test.ts': [
        'A.5 26, A.5 28, A.5 29: jose verifies the id token by the published keys, and takes no other audience',
      ],
    },
  },
  {
    line: 'A.5 27',
    requirement: 'OpenID metadata',
    stands: 'yes',
    held: {
      'auth/server/openid.test.ts': ['A.5 27, 28: metadata and keys are where they should be'],
      'clients/openid-client.test.ts': ['A.5 26, A.5 28, A.5 29: jose verifies the id token'],
    },
  },
  {
    line: 'A.5 28',
    requirement: 'the key set holds RSA keys without private parts',
    stands: 'yes',
    held: {
      'auth/keys/signing-keys.test.ts': [
        'A.5 26, 28: the first start makes an RSA key that signs; what is published verifies it and holds no private part',
      ],
      'auth/server/openid.test.ts': ['A.5 27, 28: metadata and keys are where they should be'],
      'clients/openid-client.test.ts': [
        'A.5 26, A.5 28, A.5 29: jose verifies the id token by the published keys, and takes no other audience',
      ],
    },
  },
  {
    line: 'A.5 29',
    requirement: 'signature, `iss`, `aud`, `exp`, `iat` and `sub` hold',
    stands: 'yes',
    held: {
      'auth/server/openid.test.ts': ['A.5 26, 29, 30: the id token is signed by a published key and names the user'],
      'clients/openid-client.test.ts': [
        'A.3 11, A.3 13, A.5 29, A.6 32: an app of kind ',
        'A.5 26, A.5 28, A.5 29: jose verifies the id token by the published keys, and takes no other audience',
      ],
    },
  },
  {
    line: 'A.5 30',
    requirement: '`fhirUser` is read with this token',
    stands: 'yes',
    held: {
      'auth/server/openid.test.ts': ['A.5 26, 29, 30: the id token is signed by a published key and names the user'],
      'clients/openid-client.test.ts': [
        'A.5 30: userinfo says the same of the user, and reading the user’s resource with this token works',
      ],
    },
  },
  {
    line: 'A.5 31',
    requirement: 'that read carries CORS headers for the app',
    stands: 'yes',
    held: {
      'clients/fhirclient.test.ts': [
        'A.3 11, A.3 13, A.3 18, A.3 20, A.5 31, A.6 32: a doctor starts an app, chooses a patient and agrees; it reads, pages, creates and renews',
      ],
      'http/cors.test.ts': ['A.3 18, A.5 31: lets the origins of the client that asks read, and names what they may see'],
    },
  },
  {
    line: 'A.6 32',
    requirement: 'refresh with and without `scope`, for all kinds of clients; the new token works next',
    stands: 'yes',
    held: {
      'auth/server/refresh.test.ts': [
        'A.6 32, 33: with and without scope, for all three kinds of clients, the context is said again and the new token works next',
        'A.6 32: an app without a secret may leave its name out, as fhirclient does; others may not',
      ],
      'clients/fhirclient.test.ts': [
        'A.3 11, A.3 13, A.3 18, A.3 20, A.5 31, A.6 32: a doctor starts an app, chooses a patient and agrees; it reads, pages, creates and renews',
      ],
      'clients/openid-client.test.ts': ['A.3 11, A.3 13, A.5 29, A.6 32: an app of kind '],
    },
  },
  {
    line: 'A.6 33',
    requirement: 'refresh is bound to its client, never wider, repeats the context; reuse ends the grant; what ends access ends it',
    stands: 'yes',
    held: {
      'auth/server/races.test.ts': ['A.6 33: of 50 parallel refreshes one succeeds, and the family is dead'],
      'auth/server/refresh.test.ts': [
        'A.6 32, 33: with and without scope, for all three kinds of clients, the context is said again and the new token works next',
        'A.6 33: one refresh may narrow, the next may have all of the grant again, none more',
        'A.6 33: a token used twice ends the grant, and its newest tokens with it',
        'A.6 33: it belongs to its client',
        'what ends access ends it at once, for tokens of both kinds',
      ],
    },
  },
  {
    line: 'A.7 34',
    requirement: 'unknown grant types and malformed assertions are refused by name',
    stands: 'yes',
    held: { 'auth/server/services.test.ts': ['A.7 34: what is malformed is named'] },
  },
  {
    line: 'A.7 35',
    requirement: 'a correct request of a service is answered with a token',
    stands: 'yes',
    held: {
      'auth/server/services.test.ts': [
        'A.7 35: a correct request with either algorithm, in the words of v2 or v1, gives a token of a service',
      ],
      'clients/openid-client.test.ts': ['A.7 35, A.7 36: a service with '],
    },
  },
  {
    line: 'A.7 36',
    requirement: 'five minutes at most, within what was agreed; every fault of an assertion is `invalid_client`',
    stands: 'yes',
    held: {
      'auth/server/races.test.ts': ['A.7 36: of 100 parallel uses of an assertion one succeeds'],
      'auth/server/services.test.ts': [
        'A.7 36: a scope is needed, and only what was agreed with the client is given',
        'A.7 36: each assertion with a fault is refused alike',
        'A.7 36, 37: a set with one kid twice, or that cannot be had, lets nobody in',
      ],
      'clients/openid-client.test.ts': ['A.7 35, A.7 36: a service with ', 'A.7 36: a service with another’s key gets nothing'],
    },
  },
  {
    line: 'A.7 37',
    requirement: 'key sets by URL and inline; rotation; `Cache-Control` is kept',
    stands: 'yes',
    held: {
      'auth/clients/jwks-cache.test.ts': [
        'A.7 37: a rotated key works at once under no-store',
        'A.7 37: within max-age they are asked for once, and after it again',
        'A.7 37: a key that the remembered set does not have is asked for before max-age, every 10 seconds at most',
      ],
      'auth/server/services.test.ts': ['A.7 36, 37: a set with one kid twice, or that cannot be had, lets nobody in'],
    },
  },
  {
    line: 'A.7 38',
    requirement: '`jku` of a registered address is taken',
    stands: 'yes',
    held: { 'auth/server/services.test.ts': ['A.7 36: each assertion with a fault is refused alike'] },
  },
  {
    line: 'A.8 39',
    requirement: 'introspection says what the token response said',
    stands: 'yes',
    held: {
      'auth/server/openid.test.ts': ['A.8 39, 40, 41: introspection tells resource servers what the token response told, and nobody else'],
      'clients/openid-client.test.ts': ['A.8 39, A.8 40, A.12 52: a resource server asks what a token is good for, until it is given back'],
    },
  },
  {
    line: 'A.8 40',
    requirement: 'of an unknown token it says `active: false` and nothing else',
    stands: 'yes',
    held: {
      'auth/server/openid.test.ts': ['A.8 39, 40, 41: introspection tells resource servers what the token response told, and nobody else'],
      'clients/openid-client.test.ts': ['A.8 39, A.8 40, A.12 52: a resource server asks what a token is good for, until it is given back'],
    },
  },
  {
    line: 'A.8 41',
    requirement: 'it is asked with a bearer token or with client credentials, and never by nobody',
    stands: 'yes',
    held: {
      'auth/server/openid.test.ts': ['A.8 39, 40, 41: introspection tells resource servers what the token response told, and nobody else'],
      'clients/openid-client.test.ts': ['A.8 41: a service that may ask about tokens does so with its own'],
    },
  },
  {
    line: 'A.9 42',
    requirement: 'granular scopes are granted as asked, with nothing wider beside them',
    stands: 'yes',
    held: {
      'auth/server/standalone.test.ts': ['A.9 42: granular scopes are given as they were asked, with nothing wider beside them'],
      'clients/acceptance.test.ts': ['A.9 42: the first set of granular scopes', 'A.9 42: the second set of granular scopes'],
    },
  },
  {
    line: 'A.9 43',
    requirement: 'every search under a granular scope returns exactly what matches, over all pages, by GET and POST',
    stands: 'yes',
    held: {
      'clients/acceptance.test.ts': ['A.9 43: under a granular scope ?'],
      'leaks/search-walk.test.ts': ['every search answers as if what is hidden were not'],
    },
  },
  {
    line: 'A.9 44',
    requirement: 'what matches is read, what does not is not',
    stands: 'yes',
    held: { 'clients/acceptance.test.ts': ['A.9 44: what matches the scope is read, and what does not is not there'] },
  },
  {
    line: 'A.9 45',
    requirement: 'the same by includes, chains, `_has`, history and batch',
    stands: 'partly',
    why: '`$everything` and export are not there yet',
    held: {
      'clients/acceptance.test.ts': ['A.9 45: nor by an include, a step back, a chain, a history, or in a batch'],
      'interactions/access/writes.test.ts': ['A.9 45: criteria of a granular scope are asked in conditional forms, too'],
      'leaks/search-walk.test.ts': ['every search answers as if what is hidden were not'],
      'leaks/paths-walk.test.ts': ['whoever may read something reads it, and nobody else does'],
    },
  },
  {
    line: 'A.10 46',
    requirement: 'the brand bundle is open to all origins, with an ETag',
    stands: 'yes',
    held: {
      'auth/smart/brands.test.ts': ['A.10 46: it is open to every origin and has a weak ETag'],
      'clients/acceptance.test.ts': ['A.10 46, A.10 47, A.10 48: brands are where discovery says, and each endpoint answers'],
    },
  },
  {
    line: 'A.10 47',
    requirement: 'it is a collection whose endpoints answer and belong to organizations',
    stands: 'partly',
    why: 'no validator has held it against the profiles yet',
    held: {
      'auth/smart/brands.test.ts': ['A.10 47: a collection in which each endpoint belongs to an organization, and is inside'],
      'clients/acceptance.test.ts': ['A.10 46, A.10 47, A.10 48: brands are where discovery says, and each endpoint answers'],
    },
  },
  {
    line: 'A.10 48',
    requirement: 'the identifier in discovery is that of one organization',
    stands: 'yes',
    held: {
      'auth/smart/brands.test.ts': ['A.10 48: the identifier of the primary facility is that of one organization'],
      'clients/acceptance.test.ts': ['A.10 46, A.10 47, A.10 48: brands are where discovery says, and each endpoint answers'],
    },
  },
  {
    line: 'A.11 49',
    requirement: 'bulk export: kick-off, status and manifest need a token',
    stands: 'open',
    why: 'comes with bulk export',
    held: {},
  },
  { line: 'A.11 50', requirement: 'bulk export: files need a token', stands: 'open', why: 'comes with bulk export', held: {} },
  {
    line: 'A.11 51',
    requirement: 'bulk export: deletion; another client’s token finds nothing',
    stands: 'open',
    why: 'comes with bulk export',
    held: {},
  },
  {
    line: 'A.12 52',
    requirement: 'tokens that are over, revoked or for others are refused; scopes hold letter by letter for every interaction',
    stands: 'yes',
    held: {
      'auth/server/authenticate.test.ts': [
        'A.12 52: a token of another audience, and codes, refresh tokens and sessions in its place, are refused',
        'A.3 19, A.12 52: a code is good for 60 seconds, a token for 15 minutes, a session for its idle time',
      ],
      'clients/openid-client.test.ts': ['A.8 39, A.8 40, A.12 52: a resource server asks what a token is good for, until it is given back'],
      'leaks/closed.test.ts': ['A.12 52: tokens'],
      'interactions/access/letters.test.ts': ['user/Location.'],
      'leaks/paths-walk.test.ts': ['without a token no route shows anything'],
    },
  },
  {
    line: 'A.12 53',
    requirement: 'underlying rights bind',
    stands: 'yes',
    held: {
      'interactions/access/paths.test.ts': ['A.12 53: rights below the scopes bind: a receptionist with user/*.cruds reads no Condition'],
    },
  },
  {
    line: 'A.12 54',
    requirement: 'the foreign-token walk: roles × paths × types, no leak',
    stands: 'yes',
    held: {
      'leaks/search-walk.test.ts': ['every search answers as if what is hidden were not'],
      'leaks/paths-walk.test.ts': [
        'T20: what is hidden is what never was, by every route',
        'histories of types and of all show what may be found, in full pages',
      ],
    },
  },
  {
    line: 'A.12 55',
    requirement: 'what is not understood closes',
    stands: 'yes',
    held: {
      'auth/consent/consent.test.ts': ['A.12 55: more consents than are read close everything'],
      'leaks/closed.test.ts': ['A.12 55: what is not understood', 'A.12 55: without its table of relations a store opens nothing'],
    },
  },
]

/** A capability is listed in the discovery document only while there are tests that hold it. @see auth.md 9.2 */
export const capabilityTests: Readonly<Record<string, Held>> = {
  'launch-ehr': { 'auth/server/ehr-launch.test.ts': ['A.4 23, 24, 25'], 'clients/fhirclient.test.ts': ['A.4 23'] },
  'launch-standalone': { 'clients/fhirclient.test.ts': ['A.3 11'], 'auth/server/standalone.test.ts': ['A.3 11, 12, 14, 16'] },
  'authorize-post': { 'auth/server/standalone.test.ts': ['A.3 11: by POST too'] },
  'client-public': { 'clients/fhirclient.test.ts': ['A.3 11'], 'clients/openid-client.test.ts': ['A.3 11'] },
  'client-confidential-symmetric': { 'clients/openid-client.test.ts': ['A.3 11'], 'auth/server/standalone.test.ts': ['A.3 13'] },
  'client-confidential-asymmetric': { 'clients/openid-client.test.ts': ['A.3 11', 'A.7 35'], 'auth/server/standalone.test.ts': ['A.3 13'] },
  'sso-openid-connect': { 'clients/openid-client.test.ts': ['A.5 26'], 'auth/server/openid.test.ts': ['A.5 27, 28'] },
  'context-banner': { 'auth/server/ehr-launch.test.ts': ['A.4 23, 24, 25'], 'clients/fhirclient.test.ts': ['A.4 23'] },
  'context-style': {
    'auth/server/ehr-launch.test.ts': ['A.4 23, 24, 25'],
    'auth/smart/brands.test.ts': ['a style has an address for each content'],
  },
  'context-ehr-patient': { 'clients/fhirclient.test.ts': ['A.4 23'] },
  'context-ehr-encounter': { 'clients/fhirclient.test.ts': ['A.4 23'] },
  'context-standalone-patient': {
    'clients/fhirclient.test.ts': ['A.3 11'],
    'auth/server/standalone.test.ts': ['A.3 20: scopes of a patient'],
  },
  'context-standalone-encounter': { 'auth/server/standalone.test.ts': ['A.3 20: scopes of a patient'] },
  'permission-offline': { 'auth/server/refresh.test.ts': ['A.6 32, 33'], 'clients/openid-client.test.ts': ['A.3 11'] },
  'permission-online': { 'auth/server/refresh.test.ts': ['what ends access ends it at once'], 'clients/fhirclient.test.ts': ['A.4 23'] },
  'permission-patient': { 'clients/openid-client.test.ts': ['A.3 11'], 'interactions/access/letters.test.ts': ['an app for one patient'] },
  'permission-user': {
    'clients/fhir-kit-client.test.ts': ['reads whom the doctor treats'],
    'interactions/access/letters.test.ts': ['user/Location.'],
  },
  'permission-v1': {
    'clients/acceptance.test.ts': ['A.3 15: all of a patient, in the words of v1'],
    'auth/server/services.test.ts': ['A.7 35'],
  },
  'permission-v2': { 'clients/acceptance.test.ts': ['A.3 15: all of a patient, in the words of v2', 'A.9 42: the first'] },
  'smart-app-state': { 'interactions/access/app-state.test.ts': ['an app keeps, finds and changes its own'] },
}
