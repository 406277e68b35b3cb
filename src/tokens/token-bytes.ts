/**
 * The bytes of a vocabulary's tokens. A token may hold a part of a character, whose text nobody can show. Promises: the vocabulary is read
 * when the first token is asked for, and only its texts are kept.
 */
import { openGguf } from '../formats/gguf/read.ts';
import { tokenTexts } from '../formats/gguf/vocabulary.ts';
import { bytesInAlphabet } from './bpe.ts';

/** How vocabularies of SentencePiece's kind spell a byte. */
const byteToken = /^<0x([\dA-F]{2})>$/;
/** How they spell a space. */
const spaceMark = /\u2581/g;
const encoder = new TextEncoder();

/** The bytes that a token stands for, of a vocabulary of this kind (`tokenizer.ggml.model`). */
export function bytesOfToken(kind: string, text: string): Uint8Array {
  if (kind === 'gpt2') return bytesInAlphabet(text) ?? encoder.encode(text);
  const byte = byteToken.exec(text)?.[1];
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
  return encoder.encode(text.replace(spaceMark, ' '));
}

interface Texts {
  readonly kind: string;
  readonly texts: readonly string[];
}

export class TokenBytes {
  private readonly modelPath: string;
  private read: Texts | null = null;

  constructor(modelPath: string) {
    this.modelPath = modelPath;
  }

  /** The bytes of a token. Throws NomoatError where the file is gone before the first is asked for. */
  of(id: number): Uint8Array {
    this.read ??= this.readTexts();
    return bytesOfToken(this.read.kind, this.read.texts[id] ?? '');
  }

  private readTexts(): Texts {
    const file = openGguf(this.modelPath);
    try {
      return { kind: file.string('tokenizer.ggml.model') ?? '', texts: tokenTexts(file) ?? [] };
    } finally {
      file.close();
    }
  }
}
