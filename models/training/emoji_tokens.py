"""Teaches the BERT vocabulary emoji, which it reads as [UNK], together with the word they stick to.

The vocabulary has 994 unused entries. Frequent emoji take them over, as added tokens, which the tokenizer cuts out before
it splits words; each starts from the mean of the word pieces of its Unicode name, and training does the rest.
"""

import json
import unicodedata

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

# Faces, hands, hearts and the signs that support messages and social posts use, by block, without rare symbols.
_RANGES = [
    (0x1F600, 0x1F64F), (0x1F910, 0x1F92F), (0x1F970, 0x1F97A), (0x1F90C, 0x1F90F), (0x1F493, 0x1F49F),
    (0x1F440, 0x1F44F), (0x1F4A1, 0x1F4AF), (0x1F389, 0x1F38A), (0x1F680, 0x1F680), (0x1F6A8, 0x1F6A9),
    (0x1F525, 0x1F525), (0x1F31E, 0x1F31F), (0x1F480, 0x1F480), (0x1F614, 0x1F614), (0x1F923, 0x1F923),
    (0x1F932, 0x1F932), (0x1F937, 0x1F937), (0x1F926, 0x1F926), (0x1F381, 0x1F382), (0x1F37E, 0x1F37F),
    (0x1F4E6, 0x1F4E7), (0x1F4DE, 0x1F4DE), (0x1F4F1, 0x1F4F2), (0x1F4B0, 0x1F4B8), (0x1F6D2, 0x1F6D2),
    (0x1F3FB, 0x1F3FF), (0x1F43E, 0x1F43E), (0x1F422, 0x1F422), (0x1F40C, 0x1F40C), (0x1F5A4, 0x1F5A4),
    (0x1F9E1, 0x1F9E1), (0x1F339, 0x1F339), (0x1F338, 0x1F338), (0x1F51D, 0x1F51D), (0x1F595, 0x1F596),
]
_SINGLE = "☹☺❤✨⭐✅❌❗❓⚠☎⏰⏳✈✌☝✊✋🤍🤎🥳🥺🥱🙃🫠🫡🥹🫶💔❣‼⁉"


def emoji():
    listed = [chr(c) for low, high in _RANGES for c in range(low, high + 1)] + list(_SINGLE)
    kept = [e for e in dict.fromkeys(listed) if unicodedata.name(e, "")]
    return sorted(kept)


def extend(tokenizer):
    """Returns a copy of a BERT tokenizer in which [unusedN] entries are emoji."""
    spec = json.loads(tokenizer.backend_tokenizer.to_str())
    vocab = spec["model"]["vocab"]
    free = sorted((i for token, i in vocab.items() if token.startswith("[unused")), reverse=True)
    by_id = {i: t for t, i in vocab.items()}
    for symbol in emoji():
        if symbol in vocab:
            del vocab[symbol]
        slot = free.pop()
        del vocab[by_id[slot]]
        vocab[symbol] = slot
        spec["added_tokens"].append(
            {"id": slot, "content": symbol, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": False}
        )
    spec["truncation"], spec["padding"] = None, None
    backend = Tokenizer.from_str(json.dumps(spec, ensure_ascii=False))
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="[UNK]", sep_token="[SEP]", pad_token="[PAD]", cls_token="[CLS]",
        mask_token="[MASK]", model_max_length=512,
    )


def initialise(embeddings, plain, extended):
    """Sets each emoji's embedding to the mean of its name's word pieces, as the plain tokenizer cuts it."""
    with torch.no_grad():
        for symbol in emoji():
            pieces = plain(unicodedata.name(symbol).lower(), add_special_tokens=False)["input_ids"]
            slot = extended.convert_tokens_to_ids(symbol)
            embeddings.weight[slot] = embeddings.weight[torch.tensor(pieces)].mean(0)
