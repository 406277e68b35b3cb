/** The settings of the commands by which adapters are passed on: lineage, pack, verify and reproduce. */
import { z } from 'zod';
import { openText, openWords, texts, toggle, wholeFrom } from './fields.ts';

export const lineageOptions = {
  verify: toggle(false, 'look for everything that it names (weights, bases, data), and compare digests'),
  within: texts(
    'DIR...',
    'folders to look in, beside those of the adapter, of ./runs and of the models of this machine; default: none',
  ),
};
export const lineageSettings = z.object(lineageOptions);

export const packOptions = {
  out: openText('DIR', 'a new folder; default: named after the adapter, in this folder'),
  key: openText('NAME|FILE.pem', 'private key to sign with, of `addSigningKey()` or a PEM; default: it is not signed'),
  license: openWords(
    'SPDX',
    "the base's license, such as apache-2.0, which applies to what is made with it; default: what the base's file says",
  ),
  baseModel: openText('ORG/NAME', 'the base by its id on the hub'),
  model: openText(
    'MODEL',
    'the base of an adapter that names none of this machine: a name that `listModels()` lists, or a GGUF file; default: the one that it names',
  ),
  oci: toggle(false, 'as an OCI image layout, which oras and kit push to a registry'),
};
export const packSettings = z.object(packOptions);

export const verifyOptions = {
  key: openText('NAME|FILE.pem', 'public key of whoever signed; default: the signature is not checked'),
};
export const verifySettings = z.object(verifyOptions);

export const signingKeyOptions = {
  days: wholeFrom(null, 1, 'of a signing key: how long it is good for; default: no end', { unit: 'days' }),
};

export const reproduceOptions = {
  out: openText('DIR', "a new folder for the repeated run; default: the run's with -again behind it"),
};
export const reproduceSettings = z.object(reproduceOptions);
